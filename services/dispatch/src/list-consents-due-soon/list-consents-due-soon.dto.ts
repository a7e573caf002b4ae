import { PATTERNS } from '@assent/contracts';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

const WITHIN_DAYS_DEFAULT = 30;
const WITHIN_DAYS_MAX = 400;
/** People looked at for one answer: each costs a key of the consent service. */
const PEOPLE_MAX = 200;
const PEOPLE_DEFAULT = 100;

/** A whole number as a query string writes it; anything else stays what it is and is refused. */
const WholeNumber = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value,
  );

export class ListConsentsDueSoonDto {
  /** Consents that lapse within so many days, and those that have lapsed. */
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(WITHIN_DAYS_MAX)
  withinDays: number = WITHIN_DAYS_DEFAULT;

  /** People looked at; the answer may name fewer, or none, and say where to go on. */
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(PEOPLE_MAX)
  people: number = PEOPLE_DEFAULT;

  /** `next` of the answer before. */
  @IsOptional()
  @Matches(PATTERNS.SubjectId)
  after?: string;
}
