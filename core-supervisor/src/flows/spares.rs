//! Hosts that wait, locked and empty, for the next deployment.

use protocol::frame::Level;
use protocol::nursery::Engine;

use crate::core::Core;
use crate::event::{Actions, LaunchSpec, Now};
use crate::flows::supervise;
use crate::limits::REFILL_AFTER;
use crate::quota::{Limits, Quotas};
use crate::rooms::sandboxes::Sandbox;

impl Core {
    /// What a process is to be that may use so much.
    pub(crate) fn launch_spec(
        &self,
        engine: Engine,
        min_level: Level,
        quotas: &Quotas,
    ) -> LaunchSpec {
        let profile = match engine {
            Engine::Script => "script",
            Engine::Native => "native",
        };
        LaunchSpec {
            engine,
            profile: profile.to_owned(),
            min_level,
            max_level: self.settings.max_level,
            share: quotas.share(engine),
        }
    }

    /// Has the pool filled soon, and not now: a start that was handed a spare
    /// sandbox must not wait while the next one is made.
    pub(crate) fn refill_soon(&mut self, now: Now) {
        let at = now.mono + REFILL_AFTER;
        self.refill_at.get_or_insert(at);
        self.check_by(at);
    }

    /// Keeps the pool of spare sandboxes filled.
    pub(crate) fn keep_spares(&mut self, now: Now, out: &mut Actions) {
        if self.stopping.is_some() {
            return;
        }
        let wanted = [
            (Engine::Script, self.settings.spare_scripts),
            (Engine::Native, self.settings.spare_natives),
        ];
        for (engine, number) in wanted {
            let quotas = Limits::plain(engine, &self.settings.ceiling).quotas;
            let spec = self.launch_spec(engine, self.settings.min_level, &quotas);
            for _ in self.rooms.sandboxes.spares(engine, &spec.profile)..number {
                let spec = spec.clone();
                let id = self.next_sandbox();
                self.rooms
                    .sandboxes
                    .queue(id, Sandbox::new(None, spec, now.mono));
            }
        }
        supervise::start_next(self, now, out);
    }
}
