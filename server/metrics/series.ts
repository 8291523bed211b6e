import { Counter, type Histogram, type Registry } from "prom-client";
import { FAST, inBucket, noTimes } from "./buckets.ts";

/** Values of the labels of a metric, in the order in which the text format shows them. */
export type Labels = Readonly<Record<string, string>>;

export interface SeriesOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registry: Registry;
}

/** One time series of a counter. */
export interface CountSeries {
  readonly labels: Labels;
  value: number;
}

/**
 * A counter whose series are incremented by the code that counts, which keeps them. prom-client checks, sorts and joins the labels of each
 * increment. For the metrics of every call that takes longer than the rest of the bookkeeping.
 */
export class Counts {
  readonly #all: CountSeries[] = [];

  constructor({ registry, ...options }: SeriesOptions) {
    const all = this.#all;
    new Counter({
      ...options,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of all) if (value > 0) this.inc(labels, value);
      },
    });
  }

  /** A new series. Its labels must differ from those of all others. It is shown once it was counted. */
  series(labels: Labels): CountSeries {
    const made = { labels, value: 0 };
    this.#all.push(made);
    return made;
  }
}

/** One time series of a histogram of times: how many fell into each bucket of FAST. */
export class TimeSeries {
  readonly labels: Labels;
  readonly buckets = noTimes();
  sum = 0;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  observe(seconds: number): void {
    inBucket(this.buckets, seconds);
    this.sum += seconds;
  }
}

/** A histogram of times, as Counts. prom-client's own takes single times only. */
export class Times {
  readonly #all: TimeSeries[] = [];

  constructor({ registry, name, help }: Omit<SeriesOptions, "labelNames">) {
    const get = async () => ({
      name,
      help,
      type: "histogram",
      aggregator: "sum",
      values: this.#values(name),
    });
    // This is all that a registry uses of a metric.
    registry.registerMetric({ name, get } as unknown as Histogram);
  }

  /** As Counts.series. */
  series(labels: Labels): TimeSeries {
    const made = new TimeSeries(labels);
    this.#all.push(made);
    return made;
  }

  #values(name: string) {
    return this.#all.flatMap(({ labels, buckets, sum }) => {
      let count = 0;
      const upTo = buckets.map((times, index) => {
        count += times;
        return {
          metricName: `${name}_bucket`,
          labels: { le: FAST[index] ?? "+Inf", ...labels },
          value: count,
        };
      });
      if (count === 0) return [];
      return [
        ...upTo,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
  }
}

/** What belongs to a value of a label. For several labels they are nested: to join the values to one key takes longer. */
export class Known<T> {
  readonly #known = new Map<string, T>();

  get(key: string, make: () => T): T {
    let known = this.#known.get(key);
    if (known === undefined) {
      known = make();
      this.#known.set(key, known);
    }
    return known;
  }
}
