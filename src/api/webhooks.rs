//! What receivers of webhooks get, for the OpenAPI document.

use aide::{
    openapi::{Operation, PathItem, ReferenceOr},
    transform::{TransformOpenApi, TransformOperation},
};
use axum::Json;

use crate::jobs::Message;

/// Describes the webhook of a job's end.
pub fn describe(mut api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let mut post = Operation::default();
    let _ = TransformOperation::new(&mut post)
        .id("jobEnded")
        .tag("jobs")
        .summary("A job has ended")
        .description(
            "Sent to the `webhook_url` of a job, by Standard Webhooks. The header `webhook-id` is the same each time the \
             message is sent, `webhook-timestamp` is when, in seconds of the Unix time, and `webhook-signature` is `v1,` \
             and the base64 of the HMAC-SHA256 of `id.timestamp.body` under `WEBHOOK_SECRET`. It may come more than once.",
        )
        .input::<Json<Message>>()
        .response_with::<200, (), _>(|r| {
            r.description("Any 2xx: the receiver has it. 410: it is not sent again. Anything else: it is, later.")
        });
    let path = PathItem { post: Some(post), ..PathItem::default() };
    api.inner_mut().webhooks.insert("jobEnded".into(), ReferenceOr::Item(path));
    api
}
