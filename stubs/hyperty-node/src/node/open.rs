//! Opening, resuming and closing a session (spec messaging §10.2).
//!
//! `re-open` without a session here opens one and answers with a new token: published
//! stubs take it, and would otherwise repeat their old one for ever. The session of a
//! runtime that is connected is taken over only with its token; without it the old
//! connection is asked for a sign of life, so that a half-open one ends soon.

use protocol::{Address, Code};

use super::Node;
use super::routes::base;
use super::session::Session;
use super::speak::is_runtime_url;
use crate::answer::Answer;
use crate::envelope::Envelope;
use crate::event::{Action, End, LinkId};
use crate::limits::SESSIONS_MAX;
use crate::rows::{Row, SessionRow, Table, route_key};

impl Node {
    pub(super) fn session_message(&mut self, link: LinkId, asked: &Envelope<'_>, from: &Address) {
        let runtime = base(from);
        let answer = match asked.kind.as_ref() {
            "close" => return self.close(link, asked, &runtime),
            "open" | "re-open" => self.open(link, asked, &runtime, from),
            kind => Some(Answer::refused(
                Code::FAILED,
                format!("`mn:/session` does not understand `{kind}`: say open, re-open or close"),
            )),
        };
        if let Some(answer) = answer {
            self.send(link, answer.to(asked));
        }
    }

    // `None` when the answer waits for the store.
    fn open(
        &mut self,
        link: LinkId,
        asked: &Envelope<'_>,
        runtime: &Address,
        from: &Address,
    ) -> Option<Answer> {
        if let Err(refusal) = self.may_open(link, runtime) {
            return Some(refusal);
        }
        let token = from.as_str().strip_prefix(runtime.as_str());
        let token = token.and_then(|rest| rest.strip_prefix('/'));
        let session = self.sessions.get(runtime);
        let Some(session) = session else {
            return self.begin(link, asked, runtime);
        };
        match token {
            Some(token) if token == session.token => self.resume(link, asked, runtime),
            // The wording of the published node.
            Some(_) => Some(Answer::refused(
                Code::FAILED,
                "Reconnection fail. Incorrect runtime token!",
            )),
            None => match session.link {
                Some(old) if old == link => {
                    Some(Answer::ok().with("runtimeToken", session.token.clone()))
                }
                Some(old) => {
                    self.actions.push(Action::Probe(old));
                    let why = format!(
                        "`{runtime}` is connected already; without its token it can be opened \
                         when that connection has ended"
                    );
                    Some(Answer::refused(Code::CONFLICT, why))
                }
                None => self.begin(link, asked, runtime),
            },
        }
    }

    fn may_open(&self, link: LinkId, runtime: &Address) -> Result<(), Answer> {
        let refused = |why| Err(Answer::refused(Code::FORBIDDEN, why));
        if !is_runtime_url(runtime) {
            return refused(format!(
                "`{runtime}` is not a runtime: a session is opened from `runtime://<domain>/<id>`"
            ));
        }
        let Some(state) = self.links.get(&link) else {
            return Err(Answer::refused(Code::GONE, "the connection has ended"));
        };
        if let Some(other) = state.runtime.as_ref().filter(|other| *other != runtime) {
            return refused(format!("this connection is the session of `{other}`"));
        }
        if let Some(only) = state.pass.runtime.as_ref().filter(|only| *only != runtime) {
            return refused(format!("this access token is for `{only}` alone"));
        }
        let session = self.sessions.get(runtime);
        let pass = session.and_then(|session| session.pass.as_ref());
        let pass = pass.or_else(|| self.registry.pass_of(runtime));
        if pass.is_some() && pass != state.pass.name.as_ref() {
            return refused(format!("`{runtime}` was opened with another access token"));
        }
        if session.is_none() && self.sessions.len() >= SESSIONS_MAX {
            let why = format!("this node keeps {SESSIONS_MAX} sessions already");
            return Err(Answer::refused(Code::BUSY, why));
        }
        if self.is_busy() {
            return Err(Answer::refused(
                Code::BUSY,
                "the store is behind: try again",
            ));
        }
        Ok(())
    }

    // A new token; routes of an earlier session of the same runtime stay, because
    // published runtimes ask for some of them only once (spec messaging §10.4).
    fn begin(&mut self, link: LinkId, asked: &Envelope<'_>, runtime: &Address) -> Option<Answer> {
        let token = self.settings.names.token();
        self.attach(link, runtime, token.clone());
        self.answer_attached(
            link,
            asked,
            runtime,
            &Answer::ok().with("runtimeToken", token),
        );
        None
    }

    fn resume(&mut self, link: LinkId, asked: &Envelope<'_>, runtime: &Address) -> Option<Answer> {
        let session = self.sessions.get(runtime)?;
        let (old, token) = (session.link, session.token.clone());
        if let Some(old) = old.filter(|old| *old != link) {
            self.hang_up(old, End::Replaced);
        }
        let moves = !self.is_here(runtime);
        self.attach(link, runtime, token);
        if moves {
            self.answer_attached(link, asked, runtime, &Answer::ok());
        } else {
            self.send(link, Answer::ok().to(asked));
            self.unpark(runtime);
        }
        None
    }

    fn attach(&mut self, link: LinkId, runtime: &Address, token: String) {
        let was_here = self.is_here(runtime);
        let row = SessionRow {
            token,
            pass: None,
            home: self.settings.id.clone(),
        };
        let now = self.now;
        let pass = self
            .links
            .get(&link)
            .and_then(|link| link.pass.name.clone());
        let session = self.sessions.entry(runtime.clone());
        let session = session.or_insert_with(|| Session::new(row.clone(), now));
        session.token = row.token;
        session.home = row.home;
        session.pass = pass;
        session.link = Some(link);
        if !was_here {
            self.follow_all(runtime);
        }
        if let Some(state) = self.links.get_mut(&link) {
            state.runtime = Some(runtime.clone());
        }
    }

    // What waited need not wait for the answer: no stub asks whether it is live before
    // it delivers.
    fn answer_attached(
        &mut self,
        link: LinkId,
        asked: &Envelope<'_>,
        runtime: &Address,
        answer: &Answer,
    ) {
        let Some(session) = self.sessions.get(runtime) else {
            return;
        };
        let row = Row::put(Table::Session, runtime.as_str(), &session.row());
        self.keep_and_answer(link, asked, vec![row], answer);
        self.unpark(runtime);
    }

    fn unpark(&mut self, runtime: &Address) {
        let Some(session) = self.sessions.get_mut(runtime) else {
            return;
        };
        for text in session.unpark() {
            self.hand_over(runtime, text);
        }
    }

    fn close(&mut self, link: LinkId, asked: &Envelope<'_>, runtime: &Address) {
        let is_its = |link: &super::Link| link.runtime.as_ref() == Some(runtime);
        if self.links.get(&link).is_some_and(is_its) {
            self.end_session(runtime);
            // The published node answers nothing; an answer is one line that stubs ignore.
            self.send(link, Answer::ok().to(asked));
            self.hang_up(link, End::Asked);
        } else {
            let why = format!("`{runtime}` has no session on this connection");
            self.send(link, Answer::refused(Code::FORBIDDEN, why).to(asked));
        }
    }

    /// Ends a session for good: its routes go, its registrations are disconnected.
    pub(super) fn end_session(&mut self, runtime: &Address) {
        if self.is_here(runtime) {
            self.unfollow_all(runtime);
        }
        let Some(mut session) = self.sessions.remove(runtime) else {
            return;
        };
        let mut rows = vec![Row::remove(Table::Session, runtime.as_str())];
        for address in &session.routes {
            self.routes.unlisten(address, runtime);
            rows.push(Row::remove(Table::Route, route_key(runtime, address)));
        }
        for base in &session.claims {
            self.routes.disown(base, runtime);
        }
        let waiting = session.unpark();
        rows.extend(self.disconnect_records(runtime));
        self.keep(rows);
        for text in waiting {
            self.refuse_later(&text, Code::UNAVAILABLE, "the runtime has left");
        }
    }

    /// Follows everything of a session that came here.
    pub(super) fn follow_all(&mut self, runtime: &Address) {
        for base in self.bases_of(runtime) {
            self.follow(&base);
        }
    }

    /// The opposite, when it goes.
    pub(super) fn unfollow_all(&mut self, runtime: &Address) {
        for base in self.bases_of(runtime) {
            self.unfollow(&base);
        }
    }

    // One entry for each reason: an address may be there twice.
    fn bases_of(&self, runtime: &Address) -> Vec<Address> {
        let mut bases = vec![runtime.clone()];
        if let Some(session) = self.sessions.get(runtime) {
            bases.extend(session.claims.iter().cloned());
            bases.extend(session.routes.iter().map(base));
        }
        bases.extend(self.registry.owned(runtime).cloned());
        bases.extend(self.blocks.owned(runtime).cloned());
        bases
    }
}
