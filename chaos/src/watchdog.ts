import { type ChildProcess, spawn } from "node:child_process";

/**
 * Kills the child, frozen or not, when this process dies in whatever way: no exit hook sees a SIGKILL, but the pipe to a
 * shell closes always.
 */
export function endWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  const watchdog = spawn("sh", ["-c", 'read -r _; kill -9 "$1"', "sh", `${child.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C goes to the whole foreground group and must not end the watchdog first
  });
  child.once("exit", () => watchdog.kill("SIGKILL"));
}

/** Whether a child has neither ended nor failed to start. */
export function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
