import type { CapturePointPublished, NoticePublished, PurposePublished } from '@assent/contracts';
import type { Clock } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import { type CapturePointDocument, capturePointFold } from './capture-point.projection.ts';
import { type NoticeDocument, noticeDocumentId, noticeFold } from './notice.projection.ts';
import { type PurposeDocument, purposeDocumentId, purposeFold } from './purpose.projection.ts';

const PRIMARY = { readPreference: 'primary' } as const;
/** Entries of one kind listed in one answer. */
const LISTED_MAX = 1_000;
/** A keyword may be this late to be known, ms: nobody reads and types it sooner after it was published. */
const KEYWORDS_KEPT_MS = 250;
/** Business numbers whose keywords are kept; then all are read again. */
const SENDERS_KEPT_MAX = 1_000;

/** A capture point with the notice it shows now. */
export interface OpenCapturePoint {
  readonly tenant: string;
  readonly capturePoint: CapturePointPublished;
  readonly notice: NoticePublished;
}

/** Purposes, notices and capture points, as our projection of consent.catalog has them. Reads the primary. */
export class Catalogue {
  readonly #db: Connection;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #ofSender = new Map<string, { readonly until: number; readonly points: Promise<CapturePointPublished[]> }>();

  constructor(db: Connection, clock: Pick<Clock, 'monotonicMs'>) {
    this.#db = db;
    this.#clock = clock;
  }

  async purpose(tenant: string, purposeId: string): Promise<PurposePublished | undefined> {
    const found = await this.#db
      .collection<PurposeDocument>(purposeFold.collection)
      .findOne({ _id: purposeDocumentId(tenant, purposeId) }, PRIMARY);
    return found?.purpose;
  }

  /** A version of a notice, the newest one when none is named. */
  async notice(tenant: string, noticeId: string, version?: number): Promise<NoticePublished | undefined> {
    const found = await this.#db
      .collection<NoticeDocument>(noticeFold.collection)
      .findOne({ _id: noticeDocumentId(tenant, noticeId, version) }, PRIMARY);
    return found?.notice;
  }

  /** By the code in links; undefined when it, or the notice it shows, is not published. */
  async capturePoint(publicCode: string): Promise<OpenCapturePoint | undefined> {
    const found = await this.#db
      .collection<CapturePointDocument>(capturePointFold.collection)
      .findOne({ _id: publicCode }, PRIMARY);
    return found === null ? undefined : this.#open(found);
  }

  /** Read for every message that people write, so one answer serves for {@link KEYWORDS_KEPT_MS}. */
  capturePointsOfSender(tenant: string, senderId: string): Promise<CapturePointPublished[]> {
    const key = `${tenant}|${senderId}`;
    const kept = this.#ofSender.get(key);
    if (kept !== undefined && this.#clock.monotonicMs() < kept.until) return kept.points;
    if (this.#ofSender.size >= SENDERS_KEPT_MAX) this.#ofSender.clear();
    const points = this.#readOfSender(tenant, senderId);
    this.#ofSender.set(key, { until: this.#clock.monotonicMs() + KEYWORDS_KEPT_MS, points });
    points.catch(() => this.#ofSender.delete(key));
    return points;
  }

  async #readOfSender(tenant: string, senderId: string): Promise<CapturePointPublished[]> {
    const found = await this.#db
      .collection<CapturePointDocument>(capturePointFold.collection)
      .find({ senderId, tenant }, PRIMARY)
      .limit(LISTED_MAX)
      .toArray();
    return found.map(({ capturePoint }) => capturePoint);
  }

  async purposes(tenant: string): Promise<PurposePublished[]> {
    const found = await this.#list<PurposeDocument>(purposeFold.collection, tenant);
    return found.map(({ purpose }) => purpose);
  }

  /** Every version of every notice. */
  async notices(tenant: string): Promise<NoticePublished[]> {
    const found = await this.#list<NoticeDocument>(noticeFold.collection, tenant);
    return found.filter(({ _id, notice }) => _id.endsWith(`|${notice.version}`)).map(({ notice }) => notice);
  }

  async capturePoints(tenant: string): Promise<CapturePointPublished[]> {
    const found = await this.#list<CapturePointDocument>(capturePointFold.collection, tenant);
    return found.map(({ capturePoint }) => capturePoint);
  }

  async #list<D extends { _id: string; tenant: string }>(collection: string, tenant: string): Promise<D[]> {
    const cursor = this.#db.collection<{ _id: string; tenant: string }>(collection).find({ tenant }, PRIMARY);
    return (await cursor.limit(LISTED_MAX).toArray()) as unknown as D[];
  }

  async #open({ tenant, capturePoint }: CapturePointDocument): Promise<OpenCapturePoint | undefined> {
    const notice = await this.notice(tenant, capturePoint.noticeId);
    return notice === undefined ? undefined : { tenant, capturePoint, notice };
  }
}
