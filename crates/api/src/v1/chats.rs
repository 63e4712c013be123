//! `/v1/devices/{device}/chats`: conversations, and what was said in them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::model::{CursorQuery, Jid, Place, Token, TypingState};
use wagate_domain::{Error, Result};

use super::chat_view::{ChatMessageView, ChatView};
use super::extract::{Body, InPath, Named, NoFields, NoQuery, Params};
use super::fields::required;
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use crate::extract::Field;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which conversation.
pub(super) struct ChatId(Jid);

impl InPath for ChatId {
    const PART: &str = "jid";
    const WHAT: &'static str = "chat";

    fn read(text: &str) -> Result<Self> {
        text.parse().map(|jid: Jid| Self(jid.account()))
    }
}

/// Which conversations or messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChatsQuery {
    /// Only those with this in them, in any case: conversations in a name or their number, messages in their text or
    /// the name of their file.
    #[param(value_type = Option<String>)]
    search: Option<String>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, example = "1767225600-01K0000000000000000000000A")]
    after: Option<Place>,
    /// Most of them on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for ChatsQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            search: query.search()?,
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

impl ChatsQuery {
    fn cursor(&self) -> CursorQuery<Place> {
        CursorQuery::new(self.after, self.limit)
    }
}

/// What the account is doing in a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetTyping)]
pub(super) struct SetTypingBody {
    /// `composing`, `recording` (a voice message) or `paused`.
    #[schema(value_type = String, example = "composing")]
    state: Field,
}

/// Lists conversations.
///
/// The one with the newest message first. One that gets a message while somebody pages moves to the front. With
/// `search` a page may have fewer items than asked for, or none, and a `next` all the same.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/chats",
    tag = "chats",
    params(("device" = String, Path, description = "The device's token"), ChatsQuery),
    responses((status = 200, description = "One page of conversations", body = PageView<ChatView>)),
)]
pub(super) async fn list_chats(
    state: Data<ApiState>,
    device: Named<Token>,
    query: Params<ChatsQuery>,
) -> Result<Json<PageView<ChatView>>, Problem> {
    let query = query.0;
    let page = state
        .gateway
        .list_chats(&device.0, query.search.as_deref(), query.cursor())
        .await?;
    Ok(Json(PageView::new(page, ChatView::from)))
}

/// Gives one conversation.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/chats/{jid}",
    tag = "chats",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("jid" = String, Path, description = "The conversation's address"),
    ),
    responses((status = 200, description = "The conversation", body = ChatView)),
)]
pub(super) async fn get_chat(
    state: Data<ApiState>,
    device: Named<Token>,
    chat: Named<ChatId>,
    _: Params<NoQuery>,
) -> Result<Json<ChatView>, Problem> {
    let chat = state.gateway.get_chat(&device.0, &chat.0.0).await?;
    Ok(Json(chat.into()))
}

/// Lists the messages of a conversation.
///
/// The newest first: what came in, what was sent here, and what the account wrote on its other devices since this one
/// is linked. Kept as long as events are. With `search` a page may have fewer items than asked for, or none, and a
/// `next` all the same. Of a conversation that is not there yet there are none.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/chats/{jid}/messages",
    tag = "chats",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("jid" = String, Path, description = "The conversation's address"),
        ChatsQuery,
    ),
    responses((status = 200, description = "One page of messages", body = PageView<ChatMessageView>)),
)]
pub(super) async fn chat_history(
    state: Data<ApiState>,
    device: Named<Token>,
    chat: Named<ChatId>,
    query: Params<ChatsQuery>,
) -> Result<Json<PageView<ChatMessageView>>, Problem> {
    let query = query.0;
    let page = state
        .gateway
        .chat_history(&device.0, &chat.0.0, query.search.as_deref(), query.cursor())
        .await?;
    Ok(Json(PageView::new(page, ChatMessageView::from)))
}

/// Marks a conversation as read.
///
/// Nothing in it is unread any more. While the device is connected WhatsApp is told as well, for the newest 256: those
/// who wrote see it, unless the account keeps that to itself, and its other devices count them as read.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/chats/{jid}/read",
    tag = "chats",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("jid" = String, Path, description = "The conversation's address"),
    ),
    responses(
        (status = 200, description = "The conversation as it is now", body = ChatView),
        (status = 504, description = "WhatsApp did not answer in time", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn read_chat(
    state: Data<ApiState>,
    device: Named<Token>,
    chat: Named<ChatId>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<Json<ChatView>, Problem> {
    let (token, chat) = (device.0, chat.0.0);
    let read = state
        .run(|gateway| async move { gateway.read_chat(&token, &chat).await })
        .await?;
    Ok(Json(read.into()))
}

/// Tells a conversation that the account types.
///
/// Those at the other end see it for some seconds, or until `paused` or a message: while the typing goes on, say it again
/// every ten seconds. The account is shown as online meanwhile and for a minute after, in which its phone may keep quiet
/// about new messages. Nothing is recorded.
#[utoipa::path(
    put,
    path = "/v1/devices/{device}/chats/{jid}/typing",
    tag = "chats",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("jid" = String, Path, description = "The conversation's address: a person or a group"),
    ),
    request_body = SetTypingBody,
    responses(
        (status = 204, description = "WhatsApp was told"),
        (status = 409, description = "The device is not linked, or not connected", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn set_typing(
    state: Data<ApiState>,
    device: Named<Token>,
    chat: Named<ChatId>,
    _: Params<NoQuery>,
    body: Body<SetTypingBody>,
) -> Result<HttpResponse, Problem> {
    let typing: TypingState = required("state", body.0.state)?.parse()?;
    let (token, chat) = (device.0, chat.0.0);
    state
        .run(|gateway| async move { gateway.set_typing(&token, &chat, typing).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
