import { foldReport, type TaskReport } from './report.fold.js';
import type { ReportQuery } from './report.query.js';
import type { ReportStore } from './report.store.js';

/** Tells what happened to tasks. */
export class ReportService {
  readonly #store: ReportStore;

  constructor(store: ReportStore) {
    this.#store = store;
  }

  /** Throws `UNAVAILABLE` when the database does not answer in time. */
  async report(query: ReportQuery): Promise<TaskReport> {
    return foldReport(query, await this.#store.readFigures(query));
  }
}
