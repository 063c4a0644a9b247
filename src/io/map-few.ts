/** Maps in order with at most `atOnce` calls at a time. */
export async function mapFew<T, R>(values: readonly T[], atOnce: number, step: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < values.length; i += atOnce)
    results.push(...(await Promise.all(values.slice(i, i + atOnce).map(step))));
  return results;
}
