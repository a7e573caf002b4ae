import { ArrayMaxSize, ArrayMinSize, IsArray, IsUUID, Matches } from 'class-validator';

/** Causes lifted in one call: one event per address. */
const CAUSES_MAX = 50;

export class LiftSuppressionDto {
  /** Ids of causes, never an address. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CAUSES_MAX)
  @IsUUID('all', { each: true })
  causeIds!: string[];

  /** Why, as a code for the people who read it later, such as `asked-by-phone`; never a text that could name somebody. */
  @Matches(/^[a-z][a-z0-9-]{0,63}$/)
  reason!: string;
}
