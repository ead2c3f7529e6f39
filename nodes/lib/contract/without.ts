/** An object without one of its members. */
export function without<T extends object, K extends keyof T>(object: T, name: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name)) as Omit<T, K>;
}
