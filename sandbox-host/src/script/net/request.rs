//! One HTTP request of a script: its head, then its body as it is asked for.

use sandbox_net::http::{Method, Request, Response};
use sandbox_net::{Error, Network};
use tokio::sync::mpsc::UnboundedReceiver;

use super::events::{News, Teller};

/// What a script asks for, as `framework/fetch.js` says it.
#[derive(serde::Deserialize)]
pub(super) struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    /// `follow`, `error` or `manual`.
    redirect: String,
    /// In milliseconds until the head is there; 0 for the usual time.
    #[serde(default)]
    timeout: u64,
}

/// The head of an answer, as `framework/fetch.js` reads it.
#[derive(serde::Serialize)]
struct Head {
    status: u16,
    text: String,
    url: String,
    redirected: bool,
    headers: Vec<(String, String)>,
}

/// Sends a request and tells of its answer: a piece for each wish for one.
pub(super) async fn serve(
    network: Network,
    asked: Asked,
    body: Option<Vec<u8>>,
    mut wishes: UnboundedReceiver<()>,
    teller: Teller,
) {
    let mut response = match answer(&network, asked, body).await {
        Ok(response) => response,
        Err(error) => return failed(&teller, &error),
    };
    match serde_json::to_string(&head(&response)) {
        Ok(head) => teller.tell(News::Head(head)),
        Err(error) => return teller.tell(News::Failed(error.to_string(), false)),
    }
    while wishes.recv().await.is_some() {
        match response.body.chunk().await {
            Ok(Some(piece)) => teller.tell_when_room(News::Bytes(piece)).await,
            Ok(None) => return teller.tell(News::End),
            Err(error) => return failed(&teller, &error),
        }
    }
}

async fn answer(network: &Network, asked: Asked, body: Option<Vec<u8>>) -> Result<Response, Error> {
    let no_method = |_| Error::Request(format!("`{}` is no method", asked.method));
    let method = Method::from_bytes(asked.method.as_bytes()).map_err(no_method)?;
    let mut request = Request::new(method, &asked.url)?;
    for (name, value) in &asked.headers {
        request = request.header(name, value)?;
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    if asked.timeout > 0 {
        request = request.within(std::time::Duration::from_millis(asked.timeout));
    }
    let http = network.http();
    match asked.redirect.as_str() {
        "follow" => http.follow(request).await,
        "manual" => http.send(request).await,
        _ => match http.send(request).await? {
            response if response.location()?.is_some() => Err(Error::Request(
                "it is redirected, and `redirect: \"error\"` was asked for".to_owned(),
            )),
            response => Ok(response),
        },
    }
}

fn head(response: &Response) -> Head {
    let headers = response.headers.iter();
    // Bytes beyond ASCII are characters of as many numbers, as in browsers.
    let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
    Head {
        status: response.status.as_u16(),
        text: response
            .status
            .canonical_reason()
            .unwrap_or_default()
            .to_owned(),
        url: response.url.to_string(),
        redirected: response.is_redirected,
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
    }
}

fn failed(teller: &Teller, error: &Error) {
    teller.tell(News::Failed(error.to_string(), error.is_denial()));
}
