/**
 * The processor time that this process has taken, in milliseconds. What else the machine does adds nothing to it, so that
 * pure computing is better measured by it than by a clock.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
