import type { HolidayDeclared } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import type { HolidayEntry } from '@assent/send-rules';

/** Record key of everything about holidays, so that the gate can ask whether any of it is parked. */
export const HOLIDAYS_KEY = 'holidays';

/** The newest word about one day of one jurisdiction. */
export interface HolidayDocument extends ProjectedDocument {
  readonly tenant: string;
  /** `<tenant>|<year>`: the gate asks for the years it looks at. */
  readonly tenantYear: string;
  readonly declared: HolidayDeclared;
}

export const holidayFold: Fold<HolidayDocument> = {
  collection: 'holidays',
  topics: ['dispatch.policy'],
  indexes: [{ tenantYear: 1 }],
  idsOf: (event) =>
    event.type === 'holiday.declared.v1' ? [`${event.tenant}|${event.data.jurisdiction}|${event.data.date}`] : [],
  evolve: (document, event, id) => {
    if (event.type !== 'holiday.declared.v1') return document;
    const tenantYear = tenantYearOf(event.tenant, Number(event.data.date.slice(0, 4)));
    return { _id: id, tenant: event.tenant, tenantYear, declared: event.data };
  },
};

export function tenantYearOf(tenant: string, year: number): string {
  return `${tenant}|${year}`;
}

/** As the send rules take it. */
export function holidayEntryOf({ declared }: HolidayDocument): HolidayEntry {
  const { jurisdiction, date, holiday, name } = declared;
  return { jurisdiction, date, holiday, name };
}
