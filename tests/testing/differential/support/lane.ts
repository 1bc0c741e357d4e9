import type { Ports, TopicInfo } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import * as TE from "fp-ts/lib/TaskEither.js";
import { Redis } from "ioredis";
import { keysOf } from "../../../../packages/redis-adapter/src/keys.ts";
import { type Command, Play } from "./command.ts";
import { compareContents } from "./contents.ts";
import type { Coverage } from "./coverage.ts";
import { createLaneClock } from "./lane-clock.ts";
import { ensureTopic } from "./log-commands.ts";
import { Inconclusive } from "./trace.ts";
import { World } from "./world.ts";

const NAMESPACE = "differential";

/** How often a sequence is played that may have failed because the machine was busy. */
const TRIES = 3;

/** One database of a server, in which sequences are played one after the other. */
export interface Lane extends AsyncDisposable {
  /** Plays a sequence, and throws a `Difference` where the two adapters are not alike. */
  play(commands: readonly Command[]): Promise<void>;
}

/** How a lane is made. */
export interface LaneOptions {
  readonly url: string;
  /** The number of the database. */
  readonly database: number;
  readonly coverage: Coverage;
  /** Whether the scripts were made to take the lane's time for the server's. */
  readonly isVirtual: boolean;
  /** Breaks the adapter on Redis, to see that it is found. */
  readonly spoil?: (ports: Ports) => Ports;
}

/** Opens a lane. The database is emptied behind each sequence. */
export async function openLane({ url, database, coverage, isVirtual, spoil }: LaneOptions): Promise<Lane> {
  const at = `${url}/${database}`;
  const admin = new Redis(at);
  const keys = keysOf(NAMESPACE);
  const sessions: Ports[] = [];
  const whole = redisAdapter({ url: at, namespace: NAMESPACE });
  const redis = spoil === undefined ? whole : { ...whole, open: () => TE.map(spoil)(whole.open()) };
  let sequences = 0;

  const deleteTopic = async (topic: TopicInfo): Promise<void> => {
    const logs = Array.from({ length: topic.partitions }, (_, n) => Object.values(keys.partition(topic.name, n)));
    await admin.del(keys.topic(topic.name).topic, ...logs.flat());
  };
  const tellHint = async (group: string, sentinel: string): Promise<void> => {
    await admin.publish(keys.hints(group), `released ${sentinel}`);
  };

  const once = async (commands: readonly Command[]): Promise<void> => {
    sequences += 1;
    const clock = isVirtual ? await createLaneClock(admin) : null;
    // Channels, unlike keys, are those of all databases.
    const prefix = `s${database}.${sequences}-`;
    const world = await World.open({ redis, sessions, prefix, clock, deleteTopic, tellHint, coverage });
    try {
      await playOut(world, commands);
    } finally {
      await world.end();
      await admin.flushdb();
    }
  };

  return {
    play: async (commands) => {
      for (let left = TRIES; ; left -= 1) {
        try {
          return await once(commands);
        } catch (error) {
          if (!(error instanceof Inconclusive) || left === 1) {
            throw error;
          }
        }
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(sessions.map((session) => session.close()));
      await admin.quit();
    },
  };
}

/** What topics a sequence begins with, and their partitions. */
const BEGINNING = [
  ["a", 2],
  ["b", 1],
] as const;

async function playOut(world: World, commands: readonly Command[]): Promise<void> {
  const play = new Play(world);
  try {
    for (const [name, partitions] of BEGINNING) {
      await ensureTopic(play, { slot: 0, name, partitions, defaultPartitions: 1 });
    }
    for (const command of commands) {
      await command(play);
    }
    for (const { end } of play.watches.splice(0)) {
      await end();
    }
    await compareContents(play);
  } finally {
    for (const { readers } of play.readers) {
      readers.memory.close();
      readers.redis.close();
    }
  }
}
