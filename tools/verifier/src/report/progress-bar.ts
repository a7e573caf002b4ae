import type { VerifyProgress } from '../verify-log/verify-audit-log.ts';

const REDRAW_EVERY_MS = 100;
const CELLS = 24;
/** Takes the whole line back. */
const CLEAR = '\r\u001b[K';

/** A bar on a terminal: how much of what the heads promise is verified, how fast, how long yet. */
export class ProgressBar {
  private readonly startedMs: number;
  private drawnMs = -Infinity;
  private leavesAtStart: number | undefined;

  constructor(
    private readonly write: (text: string) => void,
    private readonly monotonicMs: () => number,
  ) {
    this.startedMs = monotonicMs();
  }

  draw(progress: VerifyProgress): void {
    const nowMs = this.monotonicMs();
    this.leavesAtStart ??= progress.leaves;
    if (nowMs - this.drawnMs < REDRAW_EVERY_MS) return;
    this.drawnMs = nowMs;
    this.write(`${CLEAR}${barText(progress, progress.leaves - this.leavesAtStart, nowMs - this.startedMs)}`);
  }

  clear(): void {
    this.write(CLEAR);
  }
}

/** @param fresh leaves verified in `tookMs`, those of an interrupted run not counted */
export function barText({ log, leaves, leavesExpected }: VerifyProgress, fresh: number, tookMs: number): string {
  const part = Math.min(1, leaves / Math.max(1, leavesExpected));
  const full = Math.floor(part * CELLS);
  const perSecond = tookMs === 0 ? 0 : (fresh * 1_000) / tookMs;
  const left = perSecond === 0 ? '' : `  ${duration((leavesExpected - leaves) / perSecond)} left`;
  const bar = `${'█'.repeat(full)}${'·'.repeat(CELLS - full)}`;
  return `${bar} ${Math.floor(part * 100)} %  ${log}  ${Math.round(perSecond)} leaves/s${left}`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % 60} s`;
}
