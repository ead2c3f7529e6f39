import type { Reply } from '../reply';
import type { VerifyCall } from './call';
import { ok } from './replies';

/**
 * One page of a list, as `PageSize` and `Page` ask for it.
 *
 * @param key - the member that holds the items
 */
export function page<T>(
  { form, baseUrl, path }: VerifyCall,
  key: string,
  items: readonly T[],
  view: (item: T) => object,
): Reply {
  const size = form.integer('PageSize', 1, 1000) ?? 50;
  const number = form.integer('Page', 0, 1_000_000) ?? 0;
  const url = (page: number): string =>
    `${baseUrl}${path}?${form.with({ PageSize: String(size), Page: String(page) })}`;
  const end = (number + 1) * size;
  return ok({
    [key]: items.slice(end - size, end).map(view),
    meta: {
      key,
      page: number,
      page_size: size,
      first_page_url: url(0),
      previous_page_url: number === 0 ? null : url(number - 1),
      next_page_url: end < items.length ? url(number + 1) : null,
      url: url(number),
    },
  });
}
