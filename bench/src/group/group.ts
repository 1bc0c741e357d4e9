import { Redis } from "ioredis";
import { Cluster } from "../cluster/cluster.ts";
import type { Trial } from "../trial.ts";
import { goThroughChanges } from "./changes.ts";
import { NoiseProbe } from "./noise.ts";
import { reportOf } from "./report.ts";
import { readTraces, untilEchoed } from "./traces.ts";

const PARTITIONS = 64;
const WORKERS = 4;
const RATE = 2_000;
const ROUNDS = 5;
const SESSION_MS = 2_000;

/** What joins, leaves and kills mean for a group of worker processes under load. */
export const group: Trial = async (setting) => {
  const partitions = setting.partitions ?? PARTITIONS;
  const workers = setting.workers ?? WORKERS;
  const rate = setting.rate ?? RATE;
  const rounds = setting.rounds ?? ROUNDS;
  await using cluster = await Cluster.open({ binary: setting.binary, partitions, sessionMs: SESSION_MS });
  const members = await cluster.startMembers(workers);
  const load = await cluster.openLoad(rate);
  await Promise.all(members.map((member) => member.join()));
  await cluster.settled(members);
  await load.start();
  using noise = new NoiseProbe();
  const changes = await goThroughChanges(cluster, members, rounds);
  const { latenesses } = noise;
  const sent = await load.stop();
  const redis = new Redis(cluster.url);
  try {
    await untilEchoed(redis, partitions, sent);
    const traces = await readTraces(redis, partitions, sent);
    const { log } = cluster.ownership;
    return reportOf({
      setting: { partitions, workers, rate, rounds, sessionMs: SESSION_MS },
      traces,
      changes,
      log,
      latenesses,
    });
  } finally {
    redis.disconnect();
  }
};
