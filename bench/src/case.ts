import type { RecordableHistogram } from 'node:perf_hooks';

/** Something that is measured, at several sizes, beside the least that it could cost. One file each, in cases/. */
export interface Case {
  /** As it is typed: `npm run bench -- name`, or `name-500` for one size. */
  readonly name: string;
  readonly title: string;
  /** What is done, where the clock starts and stops, and what the floor is. Markdown, for people. */
  readonly about: string;
  /** What a size counts, e.g. `instances created at once`. */
  readonly axis: string;
  readonly sizes: readonly number[];
  /** The first is the case's own figure: the one that the floor has too, and that the picture shows. */
  readonly figures: readonly [Figure, ...Figure[]];
  readonly goals: readonly Goal[];
  /** How its picture is drawn, where the usual way (both axes logarithmic) does not fit. */
  readonly picture?: Picture;
  /** Measured repetitions of each size, where the usual number takes too long or says too little. */
  readonly repetitions?: number;
  /** Sets up what is measured at one size; nothing of this counts. */
  open(size: number, ground: Ground): Promise<Rig>;
}

export interface Figure {
  readonly name: string;
  readonly title: string;
  /** `per second` is better when it is more, everything else when it is less. */
  readonly unit: 'ms' | 'MiB' | '%' | 'bytes' | 'count' | 'per second';
}

/** A figure's median is to be at most this much. */
export interface Goal {
  readonly figure: string;
  readonly atMost: number;
  /** Of what `atMost` is a multiple: of the floor's same figure, or of the figure at another size. Absent: of its unit. */
  readonly times?: 'floor' | { size: number };
  /** Where it holds; at every size, if absent. */
  readonly sizes?: readonly number[];
}

export interface Picture {
  readonly x?: 'log' | 'names';
  readonly y?: 'log' | 'linear';
  /** Figures that are drawn beside the first; they have its unit. */
  readonly also?: readonly string[];
}

/** What a case is given to work with. */
export interface Ground {
  /** An empty folder on the disk that is measured; removed afterwards. */
  readonly folder: string;
  /** Milliseconds since the epoch: the time of this run of the benchmark. */
  readonly now: number;
  readonly say: (line: string) => void;
  /** Set when this run is to explain, not to be recorded: processes are started so that they can be profiled. */
  readonly profiled: boolean;
  /** Root of the sources that are measured; those that this file belongs to, if absent. */
  readonly tree?: string;
}

/** What is set up for one size. */
export interface Rig {
  /** Measures once. `repetition` begins at 0, which warms up and does not count. */
  run(repetition: number): Promise<Sample>;
  /** The least that the same could cost, measured in the same minute. */
  floor?(repetition: number): Promise<Record<string, number>>;
  close(): Promise<void>;
}

export interface Sample {
  /** By the names of the case's figures. */
  readonly figures: Record<string, number>;
  /** Microseconds of single operations. */
  readonly latencies?: RecordableHistogram;
  /** Processor time by function, when the ground was profiled. */
  readonly profile?: CpuProfile;
}

/** The part of the inspector's Profiler.Profile that is read here. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** Microseconds between a sample and the one before. */
  timeDeltas: number[];
}
