//! A user's hyperty, as an application of theirs uses it: by its methods.

use std::cell::RefCell;

use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use super::runtime::Runtime;
use super::wait::{eventually, within_bound};

/// One user's component in a runtime.
#[derive(Debug)]
pub struct Member<'runtime> {
    runtime: &'runtime Runtime,
    component: Component,
}

impl<'runtime> Member<'runtime> {
    /// Deploys `provider/kind/NAME` for a user.
    ///
    /// # Panics
    ///
    /// When it does not run in the end.
    #[track_caller]
    pub fn deploy(runtime: &'runtime Runtime, name: &str, user: &str) -> Self {
        let component = runtime.deploy_for(name, user);
        Self { runtime, component }
    }

    /// One that was deployed before, at this address.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn at(runtime: &'runtime Runtime, address: &str) -> Self {
        let component = runtime.component(address);
        Self { runtime, component }
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.component.address
    }

    /// The component as it was when it was deployed.
    pub const fn component(&self) -> &Component {
        &self.component
    }

    /// Calls a method; what it, or the promise that it returned, comes to.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[track_caller]
    pub fn call(&self, method: &str, arguments: &Value) -> Value {
        let result = self.try_call(method, arguments);
        result
            .unwrap_or_else(|reason| panic!("{method}{arguments} of {}: {reason}", self.address()))
    }

    /// Calls a method that may fail.
    ///
    /// # Errors
    ///
    /// The reason why it failed.
    ///
    /// # Panics
    ///
    /// When it is not answered.
    #[track_caller]
    pub fn try_call(&self, method: &str, arguments: &Value) -> Result<Value, String> {
        let to = format!("{}/api", self.address());
        let body = json!({ "method": method, "args": arguments });
        let answer = self.runtime.operator().ask("execute", &to, &body);
        if answer.code == 200 {
            return Ok(answer.value().clone());
        }
        Err(format!("{} {}", answer.code, answer.reason()))
    }

    /// Waits until a call comes to this.
    ///
    /// # Panics
    ///
    /// When it does not, with what it came to in the end.
    #[track_caller]
    pub fn comes_to(&self, method: &str, arguments: &Value, expected: &Value) {
        let last = RefCell::new(Err(String::new()));
        let is_so = || {
            let result = self.try_call(method, arguments);
            let is_so = result.as_ref() == Ok(expected);
            let _ = last.replace(result);
            is_so
        };
        assert!(
            within_bound(is_so),
            "{method}{arguments} of {} is not {expected} but {:?}",
            self.address(),
            last.into_inner()
        );
    }

    /// Waits until its `news()` have this one.
    ///
    /// # Panics
    ///
    /// When they do not.
    #[track_caller]
    pub fn hears(&self, news: &Value) {
        let what = format!("{} hears {news}", self.address());
        eventually(&what, || {
            let all = self.try_call("news", &json!([])).unwrap_or_default();
            all.as_array().is_some_and(|all| all.contains(news))
        });
    }

    /// Kills its process and waits until it runs again.
    ///
    /// # Panics
    ///
    /// When it does not run again.
    #[track_caller]
    pub fn kill(&self) {
        let before = self.runtime.process_of(&self.component);
        before.kill();
        eventually(&format!("{} runs again", self.address()), || {
            let now = self.runtime.component(self.address());
            now.state == "running" && now.pid != Some(before.pid)
        });
    }
}
