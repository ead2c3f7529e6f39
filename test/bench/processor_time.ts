/**
 * The processor time that this process has used, in milliseconds. Other work on the machine does not add to it: so it
 * measures pure computing better than a clock does.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
