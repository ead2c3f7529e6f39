import { reporters } from 'mocha';

/** The spec reporter, with the counts in its last line for scripts. */
class CountingReporter extends reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
}

export = CountingReporter;
