//! Messages to `/connections`: the operator looks, grants and revokes.

use protocol::api::connections::{
    self, Grant, Listing, Pattern, Revoke, Revoked, Select, Shown, Socket, Source,
};
use protocol::dial::Transport;
use protocol::{Address, Code, MessageKind};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::audit;
use crate::flows::dial::revoke;
use crate::flows::persist::{self, Then};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::place::checked;

/// Answers one request.
pub(crate) fn connections(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    match asked.header().kind {
        MessageKind::Read => {
            let select: Select = asked.body()?;
            let whose = whose(core, &select.component)?;
            value(&listing(core, &whose, asked.now))
        }
        MessageKind::Create => {
            let grant = grant(core, asked.body()?)?;
            persist::has_room(core, asked.admitted.link)?;
            let added = core
                .rooms
                .connections
                .grants
                .add(Source::Operator, grant.clone());
            let changes = added.map_err(Refusal::busy)?;
            audit::grant(core, asked.owner, "granted", &grant, out);
            let then = Then::Answer(asked.asker(), br#"{"code":200}"#.to_vec());
            persist::persist(core, changes, then, out);
            revoke::look_again(core, asked.now, out);
            Ok(Answer::Later)
        }
        MessageKind::Delete => {
            let grant = grant(core, asked.body()?)?;
            persist::has_room(core, asked.admitted.link)?;
            let changes = core.rooms.connections.grants.remove(&grant);
            if changes.is_empty() {
                let reason = format!(
                    "no grant was added, and nothing revoked, about `{}` for `{}`: `hyperty grants` shows \
                     what there is, and `hyperty grants revoke` takes away what a descriptor or \
                     `--node` asks for",
                    grant.pattern.host, grant.component
                );
                return Err(Refusal::not_found(reason));
            }
            audit::grant(core, asked.owner, "withdrawn", &grant, out);
            let closed = revoke::look_again(core, asked.now, out);
            let body = respond::valued(&Revoked { closed });
            persist::persist(core, changes, Then::Answer(asked.asker(), body), out);
            Ok(Answer::Later)
        }
        MessageKind::Execute => revoke_some(core, asked, &asked.body()?, out),
        _ => Err(not_understood(connections::PATH, asked.header())),
    }
}

fn revoke_some(core: &mut Core, asked: &Asked<'_>, wanted: &Revoke, out: &mut Actions) -> Served {
    if wanted.method != "revoke" {
        let reason = format!("`{}` is not a method: say revoke", wanted.method);
        return Err(Refusal::bad_request(reason));
    }
    let host = if wanted.host.is_empty() {
        "*"
    } else {
        &wanted.host
    };
    let pattern = Pattern {
        host: host.to_owned(),
        port: wanted.port,
        // What is revoked is revoked for every kind of socket.
        protocol: Transport::Tcp,
        private: true,
        count: 0,
    };
    let component = wanted.component.clone();
    let grant = grant(core, Grant { component, pattern })?;
    persist::has_room(core, asked.admitted.link)?;
    let added = core
        .rooms
        .connections
        .grants
        .add(Source::Revoked, grant.clone());
    let changes = added.map_err(Refusal::busy)?;
    audit::grant(core, asked.owner, "revoked", &grant, out);
    let closed = revoke::look_again(core, asked.now, out);
    let body = respond::valued(&Revoked { closed });
    persist::persist(core, changes, Then::Answer(asked.asker(), body), out);
    Ok(Answer::Later)
}

fn grant(core: &Core, grant: Grant) -> Result<Grant, Refusal> {
    let component = whose(core, &grant.component)?;
    if component.is_empty() {
        return Err(Refusal::bad_request("say whose: `provider/name`"));
    }
    let pattern = checked(grant.pattern).map_err(Refusal::bad_request)?;
    Ok(Grant { component, pattern })
}

// `provider/name` stands for itself, also when nothing like it is deployed yet; a
// name or an address stands for what is deployed.
fn whose(core: &Core, text: &str) -> Result<String, Refusal> {
    use crate::rooms::user_agent::Unselected;

    if text.is_empty() {
        return Ok(String::new());
    }
    let of = |id| {
        let package = core.rooms.user_agent.get(id)?.package.as_ref()?;
        Some(format!("{}/{}", package.provider, package.name))
    };
    match core.rooms.user_agent.select(text) {
        Ok(id) => of(id).ok_or_else(|| Refusal::not_found("its package is still being read")),
        Err(Unselected::Several) => {
            let mut all = core.rooms.user_agent.iter().filter_map(|(id, _)| of(id));
            let first = all.find(|whose| whose.ends_with(&format!("/{text}")));
            let is_one = all.all(|whose| {
                Some(&whose) == first.as_ref() || !whose.ends_with(&format!("/{text}"))
            });
            match first {
                Some(whose) if is_one => Ok(whose),
                _ => Err(Refusal::new(
                    Code::CONFLICT,
                    "ambiguous",
                    format!("several providers have a `{text}`: say `provider/{text}`"),
                )),
            }
        }
        Err(Unselected::None) => match text.split_once('/') {
            Some((provider, name))
                if !text.contains(':')
                    && !name.is_empty()
                    && provider.parse::<Address>().is_ok() =>
            {
                Ok(text.to_owned())
            }
            _ => Err(Refusal::not_found(format!(
                "no component has the address or name `{text}`: one that is not deployed is \
                 written `provider/name`"
            ))),
        },
    }
}

fn listing(core: &Core, whose: &str, now: Now) -> Listing {
    let room = &core.rooms.connections;
    let is_meant = |component: &str| whose.is_empty() || component == whose;
    let mut grants = Vec::new();
    for (_, deployment) in core.rooms.user_agent.iter() {
        let Some(package) = &deployment.package else {
            continue;
        };
        let component = format!("{}/{}", package.provider, package.name);
        for pattern in &package.network {
            grants.push(shown(core, &component, Source::Descriptor, pattern));
        }
    }
    for (component, (source, pattern)) in room.grants.iter() {
        grants.push(shown(core, component, *source, pattern));
    }
    grants.retain(|shown| is_meant(&shown.grant.component));
    grants.sort_by(|a, b| (&a.grant, a.source).cmp(&(&b.grant, b.source)));
    grants.dedup();
    let sockets = room.sockets().filter_map(|(id, open)| {
        let package = core
            .rooms
            .user_agent
            .get(open.component)?
            .package
            .as_ref()?;
        is_meant(&format!("{}/{}", package.provider, package.name)).then(|| Socket {
            id: id.0,
            component: package.address.as_str().to_owned(),
            host: open.place.host.clone(),
            port: open.place.port,
            protocol: open.place.transport,
            peer: open.peer.clone(),
            listener: open.listener.map(|listener| listener.0),
            age_ms: u64::try_from(now.mono.saturating_sub(open.since).as_millis())
                .unwrap_or(u64::MAX),
            decision: open.decision.to_string(),
        })
    });
    Listing {
        sockets: sockets.collect(),
        grants,
        pending: room.len().1,
        connector: room.connector.word(now.mono).to_owned(),
    }
}

fn shown(core: &Core, component: &str, source: Source, pattern: &Pattern) -> Shown {
    let is_by = |of: &Option<(Source, Pattern)>| {
        of.as_ref()
            .is_some_and(|(by, with)| *by == source && with == pattern)
    };
    let sockets = core.rooms.connections.sockets().filter(|(_, open)| {
        let package = core.rooms.user_agent.get(open.component);
        let package = package.and_then(|deployment| deployment.package.as_ref());
        is_by(&open.grant)
            && package.is_some_and(|it| format!("{}/{}", it.provider, it.name) == component)
    });
    Shown {
        open: sockets.count(),
        grant: Grant {
            component: component.to_owned(),
            pattern: pattern.clone(),
        },
        source,
    }
}
