//! A store in PostgreSQL, for ledgers that several machines share.
//!
//! One row of `privacy_ledger_log` is the head of a log; who holds its row lock has the turn. The
//! head and the entries change in one transaction, so a crash leaves all of an append or nothing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postgres::{Client, NoTls};

use super::{Durability, Facts, Head, Leaf, Sealed, Store, Turn};
use crate::error::{Error, Result};
use crate::log::Hash;

const VERSION: i32 = 1;

/// Entries read at a time.
const PAGE: i64 = 4096;

const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(5784410032117);
    CREATE TABLE IF NOT EXISTS privacy_ledger_log (
        name text PRIMARY KEY,
        version int4 NOT NULL,
        size int8 NOT NULL,
        root bytea NOT NULL
    );
    CREATE TABLE IF NOT EXISTS privacy_ledger_entry (
        name text NOT NULL REFERENCES privacy_ledger_log,
        index int8 NOT NULL,
        body bytea NOT NULL,
        payload bytea,
        erased bool NOT NULL DEFAULT false,
        PRIMARY KEY (name, index)
    );
    COMMIT;
";

type Connect = dyn Fn() -> std::result::Result<Client, postgres::Error> + Send + Sync;

/// A log in a PostgreSQL database.
///
/// # Security
///
/// Whoever may write to its tables can rewrite history; what they cannot do is hide it from who
/// holds an earlier checkpoint. Give the application's role no `UPDATE` on `body` and no `DELETE`.
pub struct PostgresStore {
    name: String,
    connect: Arc<Connect>,
    client: Mutex<Option<Client>>,
}

impl PostgresStore {
    /// Connects without TLS, for a server on this machine or a network that is encrypted
    /// otherwise, and opens the log `name`. `config` is a connection string such as
    /// `host=localhost user=ledger dbname=privacy`.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the server cannot be reached or refuses; [`Error::NewerVersion`].
    pub fn connect(config: &str, name: &str) -> Result<Self> {
        let config: postgres::Config =
            config.parse().map_err(Error::database("read its connection string"))?;
        Self::connect_with(name, move || config.connect(NoTls))
    }

    /// Opens the log `name` through connections that `connect` makes, as with TLS. It is called
    /// again when a connection is lost.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::connect`].
    pub fn connect_with(
        name: &str,
        connect: impl Fn() -> std::result::Result<Client, postgres::Error> + Send + Sync + 'static,
    ) -> Result<Self> {
        let store = PostgresStore {
            name: name.to_owned(),
            connect: Arc::new(connect),
            client: Mutex::new(None),
        };
        store.with(|client| {
            client.batch_execute(TABLES).map_err(Error::database("make its tables"))?;
            let empty = Hash::empty();
            client
                .execute(
                    "INSERT INTO privacy_ledger_log VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING",
                    &[&store.name, &VERSION, &empty.as_bytes().as_slice()],
                )
                .map_err(Error::database("begin a log"))
        })?;
        // Reads version and head.
        drop(store.turn()?);
        Ok(store)
    }

    fn client(&self) -> Result<MutexGuard<'_, Option<Client>>> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.as_ref().is_none_or(Client::is_closed) {
            *client = Some((self.connect)().map_err(Error::database("connect"))?);
        }
        Ok(client)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
        let mut guard = self.client()?;
        work(guard.as_mut().ok_or(Error::Poisoned)?)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("name", &self.name).finish_non_exhaustive()
    }
}

fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::NoEntry { index: number, entries: i64::MAX as u64 })
}

fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| Error::Corrupt { entry: 0, what: "its number is negative" })
}

/// Reads the entries `from..to` and complains where one is missing.
fn read(
    client: &mut Client,
    name: &str,
    from: u64,
    to: u64,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut next = from;
    while next < to {
        let rows = client
            .query(
                "SELECT index, body FROM privacy_ledger_entry
                 WHERE name = $1 AND index >= $2 AND index < $3 ORDER BY index LIMIT $4",
                &[&name, &signed(next)?, &signed(to)?, &PAGE],
            )
            .map_err(Error::database("read entries"))?;
        if rows.is_empty() {
            return Err(Error::Corrupt { entry: next, what: "it is missing" });
        }
        for row in rows {
            if unsigned(row.get(0))? != next {
                return Err(Error::Corrupt { entry: next, what: "it is missing" });
            }
            each(row.get(1))?;
            next += 1;
        }
    }
    Ok(())
}

impl Store for PostgresStore {
    fn turn(&self) -> Result<Box<dyn Turn + '_>> {
        let guard = self.client()?;
        let head = Head { size: 0, root: Hash::empty() };
        let mut turn = PostgresTurn { guard, name: &self.name, head, open: false };
        turn.begin()?;
        Ok(Box::new(turn))
    }

    fn read(&self, from: u64, to: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.with(|client| read(client, &self.name, from, to, each))
    }

    fn payload(&self, index: u64) -> Result<Option<Vec<u8>>> {
        self.with(|client| {
            let row = client
                .query_opt(
                    "SELECT payload FROM privacy_ledger_entry WHERE name = $1 AND index = $2",
                    &[&self.name, &signed(index)?],
                )
                .map_err(Error::database("read a payload"))?;
            Ok(row.and_then(|row| row.get(0)))
        })
    }
}

struct PostgresTurn<'a> {
    guard: MutexGuard<'a, Option<Client>>,
    name: &'a str,
    head: Head,
    /// Whether its transaction is open.
    open: bool,
}

impl PostgresTurn<'_> {
    fn client(&mut self) -> Result<&mut Client> {
        self.guard.as_mut().ok_or(Error::Poisoned)
    }

    fn begin(&mut self) -> Result<()> {
        let name = self.name;
        let client = self.client()?;
        client.batch_execute("BEGIN").map_err(Error::database("begin a transaction"))?;
        self.open = true;
        let row = self
            .client()?
            .query_opt(
                "SELECT version, size, root FROM privacy_ledger_log WHERE name = $1 FOR UPDATE",
                &[&name],
            )
            .map_err(Error::database("wait for its turn"))?
            .ok_or(Error::NotALedger)?;
        let version: i32 = row.get(0);
        if version != VERSION {
            let found = u32::try_from(version).unwrap_or(0);
            return Err(Error::NewerVersion { found, supported: VERSION.unsigned_abs() });
        }
        let wrong = Error::Corrupt { entry: 0, what: "its head is not what was written" };
        let root = <[u8; 32]>::try_from(row.get::<_, &[u8]>(2)).map_err(|_| wrong)?;
        self.head = Head { size: unsigned(row.get(1))?, root: Hash::from_bytes(root) };
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.open = false;
        self.client()?.batch_execute("COMMIT").map_err(Error::database("commit"))
    }
}

impl Drop for PostgresTurn<'_> {
    fn drop(&mut self) {
        let rolled_back = !self.open
            || self.guard.as_mut().is_some_and(|client| client.batch_execute("ROLLBACK").is_ok());
        if !rolled_back {
            // The server ends the transaction with the connection.
            *self.guard = None;
        }
    }
}

impl Turn for PostgresTurn<'_> {
    fn head(&mut self) -> Result<Head> {
        Ok(self.head)
    }

    fn catch_up(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(&Leaf<'_>) -> Result<()>,
    ) -> Result<u64> {
        let (name, to) = (self.name, self.head.size);
        if from > to {
            // A copy from earlier was restored, perhaps.
            return Err(Error::Corrupt { entry: to, what: "it was there before and is missing" });
        }
        read(self.client()?, name, from, to, &mut |entry| each(&Leaf::of(entry)))?;
        Ok(0)
    }

    fn append(
        &mut self,
        batch: &[Sealed],
        head: &dyn Fn() -> Head,
        durability: Durability,
    ) -> Result<()> {
        let head = head();
        let (name, before) = (self.name, self.head.size);
        let wait = match durability {
            Durability::Power => "SET LOCAL synchronous_commit = on",
            Durability::Process => "SET LOCAL synchronous_commit = off",
        };
        let first = signed(before)?;
        let indices: Vec<i64> = (first..).take(batch.len()).collect();
        let bodies: Vec<&[u8]> = batch.iter().map(|sealed| sealed.entry.as_slice()).collect();
        let payloads: Vec<Option<&[u8]>> =
            batch.iter().map(|sealed| sealed.payload.as_deref()).collect();
        let client = self.client()?;
        client.batch_execute(wait).map_err(Error::database("say how durable it must be"))?;
        client
            .execute(
                "INSERT INTO privacy_ledger_entry (name, index, body, payload)
                 SELECT $1, * FROM UNNEST($2::int8[], $3::bytea[], $4::bytea[])",
                &[&name, &indices, &bodies, &payloads],
            )
            .map_err(Error::database("append entries"))?;
        let moved = client
            .execute(
                "UPDATE privacy_ledger_log SET size = $2, root = $3 WHERE name = $1 AND size = $4",
                &[&name, &signed(head.size)?, &head.root.as_bytes().as_slice(), &first],
            )
            .map_err(Error::database("move the head"))?;
        if moved != 1 {
            return Err(Error::Corrupt {
                entry: before,
                what: "somebody else wrote it out of turn",
            });
        }
        self.commit()?;
        self.head = head;
        Ok(())
    }

    fn erase(&mut self, index: u64) -> Result<()> {
        let name = self.name;
        let index = signed(index)?;
        let client = self.client()?;
        client
            .batch_execute("SET LOCAL synchronous_commit = on")
            .map_err(Error::database("say how durable it must be"))?;
        let erased = client
            .execute(
                "UPDATE privacy_ledger_entry SET payload = NULL, erased = true
                 WHERE name = $1 AND index = $2 AND NOT erased",
                &[&name, &index],
            )
            .map_err(Error::database("erase a payload"))?;
        if erased == 0 {
            return Ok(());
        }
        self.commit()?;
        let before = self.head;
        self.begin()?;
        // Somebody may have had a turn in between; what was read is then not all there is.
        self.head = if self.head.size == before.size { self.head } else { before };
        Ok(())
    }

    fn check(&mut self, facts: &Facts<'_>) -> Result<()> {
        let (name, head) = (self.name, self.head);
        if facts.root_at(head.size)? != head.root {
            let entry = head.size;
            return Err(Error::Corrupt { entry, what: "the head speaks of another log" });
        }
        let client = self.client()?;
        let rows = client
            .query(
                "SELECT index, erased, payload IS NULL FROM privacy_ledger_entry
                 WHERE name = $1 AND (index >= $2 OR index < 0 OR erased OR payload IS NOT NULL)
                 ORDER BY index",
                &[&name, &signed(head.size)?],
            )
            .map_err(Error::database("check payloads"))?;
        for row in rows {
            let entry = unsigned(row.get(0))?;
            let (erased, gone): (bool, bool) = (row.get(1), row.get(2));
            if entry >= head.size {
                return Err(Error::Corrupt { entry, what: "it stands behind the end of the log" });
            }
            if erased != facts.erased(entry) || erased != gone {
                let what = "its payload is there or gone against the log";
                return Err(Error::Corrupt { entry, what });
            }
        }
        Ok(())
    }
}
