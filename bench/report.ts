import { median, percentile } from "./statistics.ts";

/** One line of the report: what was measured and, when it has one, what it is compared with. */
export interface Row {
  what: string;
  unit: string;
  values: number[];
  /** Name of the row it is divided by, measured in the same run. */
  against?: string;
}

export interface Summary {
  what: string;
  unit: string;
  n: number;
  min: number;
  median: number;
  p95: number;
  max: number;
  against?: string;
  ratio?: number;
}

/** Medians, and the ratio of each row's median to that of the row it names. */
export function summarise(rows: readonly Row[]): Summary[] {
  const medians = new Map(rows.map((row) => [row.what, median(row.values)]));
  return rows.map((row) => {
    const base = row.against === undefined ? undefined : medians.get(row.against);
    return {
      what: row.what,
      unit: row.unit,
      n: row.values.length,
      min: Math.min(...row.values),
      median: median(row.values),
      p95: percentile(row.values, 95),
      max: Math.max(...row.values),
      against: row.against,
      ratio: base === undefined || base === 0 ? undefined : median(row.values) / base,
    };
  });
}

const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3);

/** The summaries as a plain-text table. */
export function table(summaries: readonly Summary[]): string {
  const head = ["what", "unit", "n", "min", "median", "p95", "max", "ratio"];
  const body = summaries.map((s) => [
    s.what,
    s.unit,
    String(s.n),
    figure(s.min),
    figure(s.median),
    figure(s.p95),
    figure(s.max),
    s.ratio === undefined ? "" : `${figure(s.ratio)}x ${s.against}`,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((line) => line[i]!.length)));
  return [head, ...body]
    .map((line) =>
      line
        .map((cell, i) =>
          i === 0 || i === 7 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
