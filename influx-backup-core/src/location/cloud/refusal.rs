//! What of an error that a store answers is kept: its code and its message. The rest may repeat what was sent: S3 answers an expired
//! session token with that token, and a wrong signature with all headers.

use std::borrow::Cow;

use futures::StreamExt;
use http::{HeaderValue, Uri, header::AUTHORIZATION};
use object_store::client::{HttpRequest, HttpResponseBody};
use serde_json::Value;

use crate::{error::code_in, naming::visible};

/// How much of an error is read. It may have no end.
const READ: usize = 64 << 10;

/// How much of its message is shown.
const SHOWN: usize = 300;

/// What is no secret, since it is found in any text.
const SHORT: usize = 6;

/// What of a request is secret.
#[derive(Debug)]
pub(super) struct Sent {
    headers: Vec<HeaderValue>,
    uri: Uri,
}

impl Sent {
    pub(super) fn with(request: &HttpRequest) -> Self {
        let headers = request.headers();
        let secret = [AUTHORIZATION.as_str(), "x-amz-security-token"].into_iter().filter_map(|name| headers.get(name));
        Self { headers: secret.cloned().collect(), uri: request.uri().clone() }
    }

    /// With a header that is added on the way.
    pub(super) fn and(mut self, header: Option<HeaderValue>) -> Self {
        self.headers.extend(header);
        self
    }

    /// The text without what was sent, and without `others`.
    fn hidden(&self, text: &str, others: &[String]) -> String {
        let headers = self.headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(' '));
        let raw = self.uri.query().unwrap_or_default();
        let decoded = url::form_urlencoded::parse(raw.as_bytes());
        // As it was sent, and as it was meant.
        let raw = raw.split('&').filter_map(|pair| pair.split_once('='));
        let query = decoded.chain(raw.map(|(name, value)| (name.into(), value.into())));
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == "sig" || ["signature", "token", "credential"].iter().any(|part| name.ends_with(part))
        };
        let query = query.filter(|(name, _)| is_secret(name)).map(|(_, value)| value);
        let secrets = headers.map(Cow::from).chain(query).chain(others.iter().map(Cow::from));
        secrets.filter(|secret| secret.len() >= SHORT).fold(text.to_owned(), |text, secret| {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            text.replace(&*secret, "\u{2026}").replace(&encoded, "\u{2026}")
        })
    }
}

/// The begin of an error, with its code and its message.
#[derive(Debug)]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) async fn read(body: HttpResponseBody) -> Self {
        let mut chunks = body.bytes_stream();
        let mut read = Vec::new();
        while let Some(Ok(chunk)) = chunks.next().await {
            read.extend_from_slice(&chunk[..chunk.len().min(READ - read.len())]);
            if read.len() == READ {
                break;
            }
        }
        Self(String::from_utf8_lossy(&read).into_owned())
    }

    pub(super) fn code(&self) -> Option<&str> {
        code_in(&self.0)
    }

    /// The error without what is secret, as XML.
    pub(super) fn document(&self, sent: &Sent, secrets: &[String]) -> String {
        self.with_message(&self.message(), sent, secrets)
    }

    /// The same of a service of credentials, without a message: what it was sent, in a body mostly, is nothing but secrets.
    pub(super) fn bare_document(&self, sent: &Sent, secrets: &[String]) -> String {
        let value = serde_json::from_str::<Value>(&self.0).unwrap_or_default();
        self.with_message(value["error"].as_str().unwrap_or_default(), sent, secrets)
    }

    fn with_message(&self, text: &str, sent: &Sent, secrets: &[String]) -> String {
        let text: String = visible(sent.hidden(text, secrets)).chars().take(SHOWN).collect();
        let element = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!("<{name}>{}</{name}>", quick_xml::escape::partial_escape(text)),
        };
        let code = sent.hidden(self.code().unwrap_or_default(), secrets);
        let inner = element("Code", &code) + &element("Message", text.trim());
        if inner.is_empty() { inner } else { format!("<Error>{inner}</Error>") }
    }

    fn message(&self) -> Cow<'_, str> {
        if self.0.trim_start().starts_with('{') {
            let value = serde_json::from_str::<Value>(&self.0).unwrap_or_default();
            let texts = ["/error/message", "/error_description", "/message", "/Message", "/error"];
            let text = texts.iter().find_map(|at| value.pointer(at)?.as_str());
            return text.unwrap_or_default().to_owned().into();
        }
        let between = self.0.split_once("<Message>").and_then(|(_, rest)| Some(rest.split_once("</Message>")?.0));
        match between {
            Some(text) => quick_xml::escape::unescape(text).unwrap_or_default(),
            None if self.0.contains("<Error") => Cow::default(),
            None => self.0.as_str().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    fn sent() -> Sent {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = "http://s/b?sig=c2VjcmV0%3D%3D&X-Amz-Security-Token=t0kent0ken".parse().expect("a URI");
        request.headers_mut().insert("authorization", "Bearer b34r3rb34r3r".parse().expect("a value"));
        request.headers_mut().insert("x-amz-security-token", "s3ss10ns3ss10n".parse().expect("a value"));
        Sent::with(&request)
    }

    #[tokio::test]
    async fn nothing_that_was_sent_is_repeated() {
        for (body, document) in [
            (
                "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The token &lt;s3ss10ns3ss10n&gt; has expired.\
                 </Message><Token-0>s3ss10ns3ss10n</Token-0></Error>",
                "<Error><Code>ExpiredToken</Code><Message>The token &lt;\u{2026}&gt; has expired.</Message></Error>",
            ),
            (
                r#"{"error": {"errors": [{"reason": "authError"}], "message": "no b34r3rb34r3r"}}"#,
                "<Error><Code>authError</Code><Message>no \u{2026}</Message></Error>",
            ),
            (
                r#"{"error": "invalid_client", "error_description": "not 0ther53cret"}"#,
                "<Error><Message>not \u{2026}</Message></Error>",
            ),
            ("sig c2VjcmV0== or t0kent0ken\n", "<Error><Message>sig \u{2026} or \u{2026}\\n</Message></Error>"),
            ("/b?sig=c2VjcmV0%3D%3D", "<Error><Message>/b?sig=\u{2026}</Message></Error>"),
            ("<Error><Header>s3ss10ns3ss10n</Header></Error>", ""),
            ("", ""),
        ] {
            let refusal = Refusal::read(bytes::Bytes::from(body).into()).await;
            assert_eq!(refusal.document(&sent(), &["0ther53cret".to_owned()]), document);
        }
        let token = r#"{"error": "invalid_client", "error_description": "not 0ther53cret"}"#;
        let token = Refusal::read(bytes::Bytes::from(token).into()).await.bare_document(&sent(), &[]);
        assert_eq!(token, "<Error><Message>invalid_client</Message></Error>");
        let long = Refusal::read(bytes::Bytes::from("x".repeat(READ + 1)).into()).await;
        assert_eq!(long.0.len(), READ);
        assert!(long.document(&sent(), &[]).len() < 2 * SHOWN);
    }
}
