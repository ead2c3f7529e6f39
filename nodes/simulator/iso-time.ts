/** Such as `2017-12-10T16:30:00.000Z`. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** In whole seconds, such as `2017-12-10T16:30:00Z`. */
export function isoSeconds(time: number): string {
  return isoTime(time).replace(/\.\d+Z$/, 'Z');
}
