//! What the store kept, and what other nodes of the domain wrote.

use protocol::Address;

use super::Node;
use super::session::Session;
use crate::event::End;
use crate::rows::{Row, SessionRow, Table, route_of};

impl Node {
    pub(super) fn learn(&mut self, rows: Vec<Row>) {
        // Sessions first: routes are theirs. A store gives its rows in no order.
        let (sessions, others): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.table == Table::Session);
        for row in sessions.into_iter().chain(others) {
            match row.table {
                Table::Session => self.learn_session(&row),
                Table::Route => self.learn_route(&row),
                Table::Record => self.learn_record(&row),
                Table::Block => self.learn_block(&row),
                Table::Beat => self.learn_beat(&row),
            }
        }
    }

    fn learn_session(&mut self, row: &Row) {
        let Ok(runtime) = row.key.parse::<Address>() else {
            return;
        };
        let Some(told) = row.read::<SessionRow>() else {
            return self.forget_session(&runtime);
        };
        let is_mine = self.is_home(&told.home);
        if let Some(session) = self.sessions.get(&runtime) {
            // Our own write, coming back.
            if session.home == told.home && session.token == told.token {
                return;
            }
            self.let_go(&runtime);
        }
        let now = self.now;
        let session = self.sessions.entry(runtime.clone());
        let session = session.or_insert_with(|| Session::new(told.clone(), now));
        session.token = told.token;
        session.pass = told.pass;
        session.home = told.home;
        session.away_since = now;
        if is_mine {
            self.follow_all(&runtime);
        }
    }

    // It has moved to another node: its connection here is an old one.
    fn let_go(&mut self, runtime: &Address) {
        if self.is_here(runtime) {
            self.unfollow_all(runtime);
        }
        let Some(session) = self.sessions.get_mut(runtime) else {
            return;
        };
        let (link, claims, waiting) = (
            session.link,
            std::mem::take(&mut session.claims),
            session.unpark(),
        );
        for base in claims {
            self.routes.disown(&base, runtime);
        }
        if let Some(link) = link {
            self.hang_up(link, End::Replaced);
        }
        for text in waiting {
            self.relay(runtime.clone(), &text, None);
        }
    }

    fn forget_session(&mut self, runtime: &Address) {
        self.let_go(runtime);
        if let Some(session) = self.sessions.remove(runtime) {
            for address in &session.routes {
                self.routes.unlisten(address, runtime);
            }
        }
    }

    fn learn_route(&mut self, row: &Row) {
        let Some((runtime, address)) = route_of(&row.key) else {
            return;
        };
        if row.value.is_some() {
            let is_here = self.is_here(&runtime);
            self.add_route(&runtime, address, is_here);
        } else {
            self.remove_route(&runtime, &address);
        }
    }

    fn learn_block(&mut self, row: &Row) {
        self.blocks.learn(row);
    }

    fn learn_beat(&mut self, row: &Row) {
        if row.key != self.settings.id {
            // By our own clock: theirs may be wrong.
            self.beats.insert(row.key.clone(), self.now);
        }
    }
}
