// TensorFlow logs through Abseil while its libraries are being loaded, before it reads TF_CPP_MIN_LOG_LEVEL, and notebooks
// show anything on stderr as an error. The binding is linked with `-z initfirst`, so that this runs before that.
#include <cstdlib>

#include "absl/log/globals.h"

namespace {
const bool quiet = [] {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
  return true;
}();
}  // namespace
