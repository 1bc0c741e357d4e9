/** Every answer of every port that a generator of sequences can bring about, as `Coverage` names it. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  "log.ensureTopic": ["success", "TopicMismatch"],
  "log.append": ["all", "some", "none", "SequenceGap", "TopicSealed", "TopicLost", "Unavailable (closed)"],
  "log.nextSequences": ["success", "TopicLost"],
  "log.seal": ["success", "SequenceGap", "TopicLost"],
  "log.registerWriters": ["success", "TopicLost"],
  "log.times": ["success", "sealed", "TopicLost"],
  "reader.next": ["some", "up to the end", "nothing", "TopicLost"],
  "reader.next, waiting": ["up to the end", "nothing"],
  "tasks.acquire": ["new, not quiet", "new, quiet", "known, not quiet", "known, quiet", "Fenced", "TopicLost"],
  "tasks.commit": ["applied", "alreadyApplied", "Fenced", "Regressed", "TopicLost"],
  "tasks.positions": ["none moved", "some moved"],
  "state.get": ["some values", "no values"],
  "state.scan": ["entries", "nothing"],
  "state.due": ["entries, and no more", "entries, and more behind", "nothing, and no more", "throws RangeError"],
  "state.drop": ["success"],
  "group.join": ["known, waits", "tasks, waits", "tasks, settled", "Fenced", "GroupMismatch"],
  "group.heartbeat": ["known, settled", "known, proposes", "tasks, settled", "tasks, waits", "NotMember", "Fenced"],
  "group.propose": ["stored", "outdated"],
  "group.take": ["granted", "granted with a pause", " held", "granted held", "outdated", "NotMember", "Fenced"],
  "group.give": ["some complete", "none complete"],
  "group.leave": ["success"],
  "group.topology": ["some", "none"],
  "group.storeTopology": ["stored", "changed", "shared", "NotMember"],
  "again: tasks.commit": ["alreadyApplied", "Fenced"],
  "again: tasks.acquire": ["known, not quiet", "Fenced"],
  "again: log.append": ["none"],
  hints: ["some"],
};

/** As {@link Coverage.of} takes them. */
export const EXPECTED: readonly string[] = Object.entries(ANSWERS).flatMap(([call, answers]) =>
  answers.map((answer) => `${call} → ${answer}`),
);
