import assert from "node:assert/strict";
import path from "node:path";
import ts from "typescript";

const root = path.join(__dirname, "..");

// A name that is added here is a promise to every notebook: most new names belong into a group.
const values = `
  adamW addWeights asymmetricNoise compareLabels convNet countParameters crossEntropy dataFrame disposeVariables disposeWeights
  epsilonHat evaluate flattenWeights fromLayersModel gaussNewtonOperator generalizedCrossEntropy globalNorm hessianOperator
  hessianSpectra historyTable hutchinsonTrace hvp hvpFiniteDifference imageStrip instanceNoise itemReport lambdaMax lambdaMaxOverLambda5 lanczos
  learningCurves liveCurves loadCifar10 loadCifar100 loadCifarN loadFashionMnist loadImageFolder loadSvhn loadVariables lossAlong lossSurfaces
  mapWeights matrixOperator memorizationCurves memorizationPoints mlp mSamGradient mSharpness noisyLabelsFromCsv openImageFolder
  pairFlipNoise quadratic randomLine randomPlane readNoisyLabelsCsv readRecords ready recordsFrame renderPng renderSvg reproduceItem
  resNetCifar ritzConvergence ritzHistory Rng runConfig runKey runMissing runOne runRecord runSummary SAM samGradient saveFigure
  saveVariables scaleWeights sgd sharpnessProfile sharpnessProfiles spectralDensity splitHeldOut symmetricNoise symmetricTransition
  syntheticImages toCsv toHtml toLatex toLayersModel toMarkdown toText train unflattenWeights valueAndGradient wideResNet withLabels
  worstCaseSharpness writeToLayersModel`;
const types = `
  Ball CurvePoint Dataset EpochRecord FigureSpec ItemReport LinearOperator LossGradient Model ModelAt NoisyLabels ProfilePoint Run
  RunConfig RunOptions RunRecord SamOptions SharpnessProfileRow SpectrumMark SpectrumPoint TableRow TrainCallbacks TrainConfig
  TrainData TrainOptions TrainResult Variables Weights`;
const groups = "classroom data engine experiments losses models optim paper plots sharpness tables tf training";

const namesIn = (text: string) => text.trim().split(/\s+/).sort();

describe("The public names of the package", () => {
  const exported = exportsOf(path.join(root, "src/index.ts"));

  it("are these functions, classes and constants", () => {
    assert.deepEqual(exported.values, namesIn(values));
  });

  it("are these types", () => {
    assert.deepEqual(exported.types, namesIn(types));
  });

  it("are these groups, and TensorFlow.js", () => {
    assert.deepEqual(exported.groups, namesIn(groups));
  });
});

interface Exported {
  readonly values: string[];
  readonly types: string[];
  readonly groups: string[];
}

function exportsOf(file: string): Exported {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const found: Exported = { values: [], types: [], groups: [] };
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!)) {
    const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const isGroup = (flags & ts.SymbolFlags.ValueModule) !== 0;
    found[isGroup ? "groups" : flags & ts.SymbolFlags.Value ? "values" : "types"].push(symbol.name);
  }
  return { values: found.values.sort(), types: found.types.sort(), groups: found.groups.sort() };
}
