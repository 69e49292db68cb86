import { Timer } from "./timer";

/** How long a connection may be silent. */
export interface HeartbeatTimes {
  /** Ping when nothing was heard for so long. */
  intervalMs: number;
  /** The connection is dead when nothing came for so long after a ping, */
  timeoutMs: number;
  /** or for so long where it probably is, such as after sleep. */
  probeMs: number;
}

/** A timer that fires so much too late has slept, with the machine or in a frozen tab. */
const LATE_MS = 5_000;

/** Finds out that a connection is dead, which TCP may not notice for many minutes. */
export class Heartbeat {
  private readonly timer = new Timer();
  private dueAt = 0;
  private heardAt = 0;
  private awaitsAnswer = false;
  private wasLate = false;

  constructor(
    private readonly times: HeartbeatTimes,
    private readonly ping: () => void,
    private readonly die: () => void,
  ) {}

  start(): void {
    this.heard();
    this.wakeAfter(this.times.intervalMs);
  }

  stop(): void {
    this.timer.clear();
  }

  /** Anything came; it sets no timer, because a burst would set thousands. */
  heard(): void {
    this.heardAt = Date.now();
    this.awaitsAnswer = this.wasLate = false;
  }

  /** Ask at once whether a running connection is alive, and wait for a short time only. */
  probe(): void {
    if (this.timer.isSet) this.ask(this.times.probeMs);
  }

  private readonly wake = (): void => {
    const { intervalMs, timeoutMs, probeMs } = this.times;
    this.heardAt = Math.min(this.heardAt, Date.now()); // a clock may be set back
    const leftMs = this.heardAt + intervalMs - Date.now();
    // What came during the sleep is read after this timer: an answer may be waiting. But once only,
    // for in a hidden tab every timer is late: Chrome runs them once a minute.
    if (Date.now() > this.dueAt + LATE_MS && !this.wasLate) {
      this.wasLate = true;
      this.ask(probeMs);
    } else if (this.awaitsAnswer) this.die();
    else if (leftMs > 0) this.wakeAfter(leftMs);
    else this.ask(timeoutMs);
  };

  private ask(patienceMs: number): void {
    this.awaitsAnswer = true;
    this.wakeAfter(patienceMs);
    this.ping();
  }

  private wakeAfter(ms: number): void {
    this.dueAt = Date.now() + ms;
    this.timer.set(ms, this.wake);
  }
}
