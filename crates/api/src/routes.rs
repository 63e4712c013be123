//! Routes that both surfaces build alike: what a path takes, and what it says to everything else.

use std::future::ready;

use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

use crate::problem::Problem;

/// One path; what is not among its methods is told which are.
pub(crate) fn only(path: &str, allow: &'static str, routes: impl IntoIterator<Item = Route>) -> Resource {
    let wrong_method = web::to(move || ready(Err::<HttpResponse, _>(Problem::WrongMethod { allow })));
    let resource = web::resource(path).default_service(wrong_method);
    routes.into_iter().fold(resource, Resource::route)
}

/// The same handler for `GET` and `POST`.
pub(crate) fn both<F, Args>(handler: F) -> [Route; 2]
where
    F: Handler<Args> + Copy,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    [web::get().to(handler), web::post().to(handler)]
}

/// For every other path.
pub(crate) async fn no_route() -> Result<HttpResponse, Problem> {
    Err(Problem::NoRoute)
}
