import { reporters } from 'mocha';

/** The spec reporter, and as its last line the numbers that a script can read. */
class CountingReporter extends reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
}

export = CountingReporter;
