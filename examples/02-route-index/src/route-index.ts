/**
 * A search index in SQLite: a document for each route, as of its last flight.
 *
 * A batch is one transaction, so a crash leaves all of it or nothing. Every document carries the number of the flight that it
 * was made of, and an older one changes nothing. So it does no harm when a batch comes again after a crash, nor when a
 * worker that was frozen wakes up and still writes what the others have written long ago.
 */
import Database from "libsql";

/** What is known of a route. */
export interface RouteDocument {
  /** `"SAN-LAX"`. */
  readonly route: string;
  /** `"San Diego, CA to Los Angeles, CA"`. */
  readonly title: string;
  /** The last flight, in words. */
  readonly body: string;
  /** The number of that flight. */
  readonly version: number;
}

/** What has been done to an index, over all processes. */
export interface Totals {
  readonly documents: number;
  /** Documents that were written or replaced. */
  readonly applied: number;
  /** Documents that were there already, or newer: they came again. */
  readonly ignored: number;
  /** Transactions. */
  readonly batches: number;
}

/** How long a connection waits for another one that writes, in ms. */
const BUSY_TIMEOUT_MS = 5_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY,
    route TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL
  );
  CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (title, body, content = 'documents', content_rowid = 'number');
  CREATE TRIGGER IF NOT EXISTS document_added AFTER INSERT ON documents BEGIN
    INSERT INTO words (rowid, title, body) VALUES (new.number, new.title, new.body);
  END;
  CREATE TRIGGER IF NOT EXISTS document_replaced AFTER UPDATE ON documents BEGIN
    INSERT INTO words (words, rowid, title, body) VALUES ('delete', old.number, old.title, old.body);
    INSERT INTO words (rowid, title, body) VALUES (new.number, new.title, new.body);
  END;
  CREATE TABLE IF NOT EXISTS totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    applied INTEGER NOT NULL,
    ignored INTEGER NOT NULL,
    batches INTEGER NOT NULL
  );
  INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0);
`;

const UPSERT = `
  INSERT INTO documents (route, title, body, version) VALUES (?, ?, ?, ?)
  ON CONFLICT (route) DO UPDATE SET title = excluded.title, body = excluded.body, version = excluded.version
  WHERE excluded.version > version
`;

const COUNT = "UPDATE totals SET applied = applied + ?, ignored = ignored + ?, batches = batches + 1";
const TOTALS = "SELECT (SELECT count(*) FROM documents) AS documents, applied, ignored, batches FROM totals";
const ALL = "SELECT route, title, body, version FROM documents ORDER BY route";
const SEARCH = `
  SELECT route, documents.title, documents.body, version FROM words JOIN documents ON number = words.rowid
  WHERE words MATCH ? ORDER BY version DESC LIMIT ?
`;

export class RouteIndex implements Disposable {
  private readonly database: Database.Database;
  private readonly upsert: Database.Statement;
  private readonly count: Database.Statement;

  /** Opens a file, and creates what is not there. */
  constructor(path: string) {
    this.database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    // What a call has written is there to stay when it returns: the record behind it commits then.
    this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    this.database.exec(SCHEMA);
    this.upsert = this.database.prepare(UPSERT);
    this.count = this.database.prepare(COUNT);
  }

  /** Writes documents in their order, in one transaction. Throws when it cannot; then nothing is written. */
  upsertAll(documents: readonly RouteDocument[]): void {
    const write = this.database.transaction(() => {
      let applied = 0;
      for (const { route, title, body, version } of documents) {
        applied += this.upsert.run(route, title, body, version).changes;
      }
      this.count.run(applied, documents.length - applied);
    });
    write.immediate();
  }

  /** The latest documents that hold all the words. */
  search(words: string, most: number): readonly RouteDocument[] {
    return this.database.prepare(SEARCH).all(words, most) as readonly RouteDocument[];
  }

  /** Every document, by route. */
  all(): readonly RouteDocument[] {
    return this.database.prepare(ALL).all() as readonly RouteDocument[];
  }

  totals(): Totals {
    // The driver adds a property of its own to a single row.
    const { documents, applied, ignored, batches } = this.database.prepare(TOTALS).get() as Totals;
    return { documents, applied, ignored, batches };
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}
