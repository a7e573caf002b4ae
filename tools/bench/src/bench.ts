/** One side of a comparison: one value per round, in the order they were run. */
export interface Side {
  readonly label: string;
  readonly rounds: readonly number[];
}

/** Ours against a bare baseline, in alternating rounds of one run. The ratio is ours / bare, round by round. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  readonly bare: Side;
  readonly ours: Side;
  /** What the ratio's median should be at least, or at most. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
}

/** How a figure grows. Both axes are logarithmic; the fitted exponent is computed from the points. */
export interface Curve {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly { readonly label: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

/** A figure without a baseline: context, never a claim. */
export interface Figure {
  readonly title: string;
  readonly unit: string;
  readonly rounds: readonly number[];
}

export interface BenchResult {
  readonly comparisons: readonly Comparison[];
  readonly figures: readonly Figure[];
  readonly curves: readonly Curve[];
  /** What a reader must know to judge the figures: sizes, what the baseline leaves out, where a goal is missed and why. */
  readonly notes: readonly string[];
}

export interface BenchContext {
  /** Measured rounds of each side; one more of each before them warms up and is not counted. */
  readonly rounds: number;
  /** Shortens everything to see whether it runs; such results are not kept. */
  readonly isTrial: boolean;
  /** For people, one line a call. */
  readonly progress: (line: string) => void;
  /** An empty folder, removed afterwards. */
  readonly folder: string;
}

export interface Bench {
  readonly name: string;
  /** What is measured against what, in one sentence. */
  readonly measures: string;
  run(context: BenchContext): Promise<BenchResult>;
}
