/**
 * From what the driver, the server and the scripts say to failures of ports. The only place that looks at their texts.
 *
 * Texts of the server may quote arguments, and the driver attaches the whole command to an error: neither is ever
 * passed on. A message names the code that the server gave, what was tried, and what to do next.
 */
import {
  type Fenced,
  type Full,
  type GroupMismatch,
  type NotMember,
  portError,
  type Refused,
  type Regressed,
  type SequenceGap,
  type TopicLost,
  type TopicSealed,
  type Unavailable,
  type WrongType,
} from "@millrace/core";
import { textIn } from "./reply.ts";

/** There is no answer: the connection is down, was lost, or the server took too long. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** `lost`: the connection broke while the call was under way; an immediate second try may do. */
  readonly reason: "down" | "lost" | "timeout" | "closed";

  constructor(reason: NoAnswer["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Server codes after which the same call can succeed later. */
const TRANSIENT: Readonly<Record<string, string>> = {
  READONLY: "the server is a replica now; a failover may be under way",
  LOADING: "the server is loading its data",
  BUSY: "a script keeps the server busy",
  NOREPLICAS: "the server has too few replicas to accept writes",
  MISCONF: "the server cannot persist and refuses writes; see its log",
  MASTERDOWN: "the server has lost its master",
  TRYAGAIN: "the server is moving keys",
  CLUSTERDOWN: "the cluster is down",
  NOAUTH: "the server wants a password; put it into the URL",
  WRONGPASS: "the server refuses the user name or password",
};

const CREDENTIALS = new Set(["NOAUTH", "WRONGPASS", "NOPERM"]);
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|ALTNAME|^ERR_TLS|^ERR_SSL|^EPROTO/;

/** Whether the server said it, so that the call has been answered. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** The code that begins a server's error (`WRONGTYPE`), or that Node gave to a network error (`ECONNREFUSED`). */
function codeOf(error: unknown): string {
  if (isReply(error)) {
    return /^-?([A-Z][A-Z0-9_]*)\b/.exec(error.message)?.[1] ?? "ERR";
  }
  const isNetwork = error instanceof Error && "code" in error && typeof error.code === "string";
  return isNetwork ? String(error.code) : "";
}

/** Whether the server does not know the script (any more), so that its source must be sent. */
export function isUnknownScript(error: unknown): boolean {
  return codeOf(error) === "NOSCRIPT";
}

/** Whether the user may not run the command. */
export function isForbidden(error: unknown): boolean {
  return codeOf(error) === "NOPERM";
}

/** The server names the command, never its arguments. */
function permission(error: unknown): string {
  const command = error instanceof Error ? /'([a-z|]{1,40})'/i.exec(error.message)?.[1] : undefined;
  return `the user lacks the permission for ${command ?? "a command or key"} that Millrace needs`;
}

/** A short reason for humans without anything that was sent; for messages about connecting. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (error instanceof NoAnswer) {
    return error.message;
  }
  const known = code === "NOPERM" ? permission(error) : TRANSIENT[code];
  return known === undefined ? code || "the connection was closed" : `${known} (${code})`;
}

/** Why ports cannot be opened: `Refused` where trying again without a change is no use. */
export function connectFailure(error: unknown, where: string): Refused | Unavailable {
  const code = codeOf(error);
  const message = `Cannot use Redis at ${where}: ${reasonOf(error)}`;
  if (CREDENTIALS.has(code)) {
    return portError("Refused", message);
  }
  if (CERTIFICATE.test(code)) {
    return portError("Refused", `${message}; check the server's certificate, or trust its CA (NODE_EXTRA_CA_CERTS)`);
  }
  if (code === "ERR") {
    return portError("Refused", `${message}: the server refused to select the database, or the handshake`);
  }
  return portError("Unavailable", `${message}; start the server or correct the URL, then try again`);
}

/**
 * The failure behind an error that a call threw. Throws what is neither the driver's nor the server's: a defect. What the
 * server says and this does not know is `Refused`: a script may have failed in its middle, and would do so again.
 */
export function failureOf(error: unknown, what: string): Unavailable | Full | WrongType | Refused {
  if (error instanceof NoAnswer) {
    return portError("Unavailable", `${what}: ${error.message}. Repeat the call`);
  }
  const code = codeOf(error);
  if (code === "") {
    throw error;
  }
  if (code === "WRONGTYPE") {
    return portError("WrongType", `${what}: a key of Millrace holds another type; use another namespace or delete it`);
  }
  if (code === "OOM") {
    return portError(
      "Full",
      `${what}: the server has reached its maxmemory; nothing was written. Raise it, or let readers catch up`,
    );
  }
  if (isReply(error) && (code === "NOPERM" || TRANSIENT[code] === undefined)) {
    return portError("Refused", `${what}: the server refused it: ${reasonOf(error)}. Correct that, then start again`);
  }
  return portError("Unavailable", `${what}: ${reasonOf(error)}. Repeat the call`);
}

/** Why a script wrote nothing. */
export type Rejection =
  | TopicLost
  | WrongType
  | TopicSealed
  | SequenceGap
  | Fenced
  | Regressed
  | NotMember
  | GroupMismatch;

/** The failure in a script's answer, or `null` when the answer is not one of those that scripts share. */
export function rejectionIn(answer: readonly unknown[], what: string): Rejection | null {
  const detail = (index: number): string => textIn(answer[index]);
  switch (answer[0]) {
    case "topic-lost":
      return portError(
        "TopicLost",
        `${what}: the topic is gone or was created anew (key ${detail(1)}). Start again with the topic as it is now`,
      );
    case "log-behind":
      return portError(
        "TopicLost",
        `${what}: the log ends at ${detail(1)}, before the committed offset: it lost records. Restore it, or reset the group`,
      );
    case "wrong-type":
      return portError(
        "WrongType",
        `${what}: key ${detail(1)} holds a ${detail(3)} where Millrace keeps a ${detail(2)}. ` +
          "Use another namespace, or delete the key",
      );
    case "sealed":
      return portError("TopicSealed", `${what}: the topic was sealed and takes no new records`);
    case "sequence-gap":
      return portError(
        "SequenceGap",
        `${what}: the log expects sequence ${detail(1)}: the records from there on were never appended, the store has lost ` +
          "them, or the producer was silent for so long that it was forgotten. Open the producer again, and send the input " +
          "again from the first record that is missing",
      );
    case "fenced":
      return portError("Fenced", `${what}: somebody else owns the task now. Stop working on it`);
    case "regressed":
      return portError(
        "Regressed",
        `${what}: the store has seen ${detail(1) || "no"} commits: it lost writes. Acquire the task again`,
      );
    case "records-lost":
      return portError(
        "Regressed",
        `${what}: the log has lost the record at ${detail(1)} since it was read: the store lost writes. Acquire the task again`,
      );
    case "not-member":
      return portError(
        "NotMember",
        `${what}: the member's session is over, or the store has lost the group. Join the group again`,
      );
    case "fenced-member":
      return portError(
        "Fenced",
        `${what}: another worker has joined as member ${detail(1)}. Give each worker an id of its own`,
      );
    case "group-mismatch":
      return portError(
        "GroupMismatch",
        `${what}: the group's members understand the sub-topology of topic ${detail(1)} in another way. ` +
          `They have ${planIn(detail(2))}, and this worker has ${planIn(detail(3))}. ` +
          "Deploy the same pipeline everywhere, or use another pipeline name",
      );
    default:
      return null;
  }
}

/** `<partitions>;<meaning>` for humans. */
function planIn(text: string): string {
  const semicolon = text.indexOf(";");
  return `${text.slice(0, semicolon)} partitions, "${text.slice(semicolon + 1)}"`;
}
