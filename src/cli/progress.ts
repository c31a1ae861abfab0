/** A progress bar with the time left on a terminal; elsewhere a line for each tenth of the work. */
import { Presets, SingleBar } from "cli-progress";
import { RunProgress } from "../experiments";

export interface Progress {
  readonly update: (progress: RunProgress) => void;
  readonly stop: () => void;
}

export function progressBar(title: string): Progress {
  return process.stdout.isTTY ? terminalBar(title) : plainLines(title);
}

function terminalBar(title: string): Progress {
  const format = `${title} {bar} {percentage}%  run {done} of {runs}  {left} left`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: false }, Presets.shades_classic);
  let started: number | undefined;
  // It appears with the first news, so that nothing is drawn where nothing is left to do; a fraction that falls is a new stage.
  let last = 1;
  return {
    update: ({ fraction, done, total }) => {
      if (fraction < last) {
        if (started === undefined) bar.start(1000, 0, { done: 0, runs: "?", left: "…" });
        started = Date.now();
      }
      last = fraction;
      bar.update(Math.round(1000 * fraction), { done, runs: total, left: timeLeft(fraction, Date.now() - started!) });
    },
    stop: () => started !== undefined && bar.stop(),
  };
}

function plainLines(title: string): Progress {
  let started = Date.now();
  let printed = 0;
  return {
    update: ({ fraction, done, total }) => {
      // A new stage.
      if (fraction < printed) [printed, started] = [0, Date.now()];
      if (fraction < printed + 0.1) return;
      printed = Math.floor(10 * fraction) / 10;
      console.log(
        `${title}: ${Math.round(100 * fraction)} %, ${done} of ${total} runs, ${timeLeft(fraction, Date.now() - started)} left`,
      );
    },
    stop: () => {},
  };
}

function timeLeft(fraction: number, elapsed: number): string {
  if (fraction < 0.01) return "…";
  const seconds = Math.round(((1 - fraction) / fraction) * (elapsed / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
