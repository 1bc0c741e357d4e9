import { type PortError, portError, type Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** How messages travel. */
export interface Weather {
  /** The longest that a message takes one way (ms); most take much less. */
  readonly latencyMs: number;
  /** How likely the connection breaks while a call is under way. */
  readonly breaks: number;
  /** How likely a request has its effect twice. */
  readonly doubles: number;
  /** How likely a hint gets lost. */
  readonly lostHints: number;
}

/** Which messages do not get through. */
export type Cut = "none" | "requests" | "replies" | "both";

/** How long a caller waits for an answer before it gives the connection up. */
const ANSWER_WITHIN_MS = 400;

/** How much later than others a request may arrive whose caller has given up: it lay in a buffer. */
const LONGEST_DELAY_MS = 2_000;

interface Call {
  hasArrived: boolean;
  isDropped: boolean;
  fail(): void;
}

/** The ends of a link, and what happens between them. */
export interface LinkEnds {
  readonly scheduler: Scheduler;
  readonly client: SimulatedProcess;
  readonly server: SimulatedProcess;
  readonly random: Random;
  readonly weather: Weather;
}

/**
 * One connection of a process to the store. While it holds, requests arrive in the order in which they were sent, and so do
 * answers. When it breaks, every call under way ends with `Unavailable`, whether it has had its effect, will still have it
 * (late, and overtaken by calls of the next connection), or never will.
 */
export class Link {
  cut: Cut = "none";
  readonly #ends: LinkEnds;
  readonly #open = new Set<Call>();
  #lastArrivalMs = 0;
  #lastReplyMs = 0;

  constructor(ends: LinkEnds) {
    this.#ends = ends;
  }

  /**
   * Sends a request that has its effect by `execute`, in the server. Resolves in the client. What is `isOnce` has an effect in
   * the client's own hands, as the position of a reader, and is never doubled.
   */
  send<Err extends PortError, A>(
    execute: () => Promise<E.Either<Err, A>>,
    isOnce = false,
  ): Promise<E.Either<Err | Unavailable, A>> {
    const { scheduler, client, server, random, weather } = this.#ends;
    return new Promise((resolve) => {
      let isSettled = false;
      const settle = (result: E.Either<Err | Unavailable, A>): void => {
        if (!isSettled) {
          isSettled = true;
          this.#open.delete(call);
          client.soon(() => resolve(result));
        }
      };
      const call: Call = { hasArrived: false, isDropped: false, fail: () => settle(E.left(lost())) };
      this.#open.add(call);
      const reply = (result: E.Either<Err, A>): void => {
        if (!isSettled && this.cut !== "replies" && this.cut !== "both") {
          this.#lastReplyMs = Math.max(this.#lastReplyMs, scheduler.nowMs + this.#travelMs());
          scheduler.at(this.#lastReplyMs, client, () => settle(result));
        }
      };
      const arrive = (): void => {
        call.hasArrived = true;
        if (!call.isDropped) {
          void execute().then(reply);
        }
      };
      const isCut = this.cut === "requests" || this.cut === "both";
      if (!isCut) {
        this.#lastArrivalMs = Math.max(this.#lastArrivalMs, scheduler.nowMs + this.#travelMs());
        server.after(this.#lastArrivalMs - scheduler.nowMs, arrive);
        if (!isOnce && random.chance(weather.doubles)) {
          server.after(this.#lastArrivalMs - scheduler.nowMs + random.next() * LONGEST_DELAY_MS, () => {
            if (!call.isDropped) {
              void execute();
            }
          });
        }
      }
      if (this.cut !== "none") {
        client.after(ANSWER_WITHIN_MS, () => call.fail());
      } else if (random.chance(weather.breaks)) {
        scheduler.at(scheduler.nowMs + random.next() * (weather.latencyMs + 1), client, () => this.break());
      }
    });
  }

  /** Breaks the connection; the next call uses another one. `lose`: nothing of it arrives any more. */
  break(lose = false): void {
    const { random } = this.#ends;
    for (const call of this.#open) {
      // What has not arrived arrives nevertheless, or never.
      call.isDropped ||= !call.hasArrived && (lose || random.chance(0.5));
      call.fail();
    }
    // Requests of the next connection may overtake those that are still to arrive.
    this.#lastArrivalMs = 0;
    this.#lastReplyMs = 0;
  }

  /** One way; now and then a request takes long. */
  #travelMs(): number {
    const { random, weather } = this.#ends;
    const share = random.next();
    // Mostly short: the square of an even number; the longest is rare.
    return weather.latencyMs * share * share;
  }
}

function lost(): Unavailable {
  return portError("Unavailable", "the simulated connection broke");
}
