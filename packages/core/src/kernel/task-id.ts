/** A task as members of a group speak of it: `<topic>/<partition>`. Names of topics hold no slash. */
export function taskIdOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** The parts of a task's id. Throws `RangeError` where it is none. */
export function parseTaskId(id: string): { readonly topic: string; readonly partition: number } {
  const [topic = "", digits = "", ...more] = id.split("/");
  if (topic === "" || more.length > 0 || !/^\d+$/.test(digits)) {
    throw new RangeError(`"${id}" is not a task: <topic>/<partition> was expected`);
  }
  return { topic, partition: Number(digits) };
}
