/** A page of a list, as all lists have them. */
interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
}

const PAGE_SIZE_MAX = 1_000;

/** Reads pages until there are `limit` rows, or no more. */
export async function allPages<Row>(
  limit: number,
  read: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page<Row>>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let pageToken = "";
  while (rows.length < limit) {
    const page = await read({ pageSize: Math.min(limit - rows.length, PAGE_SIZE_MAX), pageToken });
    rows.push(...page.rows);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return rows;
}
