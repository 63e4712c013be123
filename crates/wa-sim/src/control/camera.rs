//! The phone's camera: reads the pairing string out of a picture, so that the gateway's answer can be shown to a phone
//! as it is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What the picture in a `data:` address says; `None` when it is no picture or has no readable code.
pub(super) fn read(data_uri: &str) -> Option<String> {
    let (head, data) = data_uri.strip_prefix("data:")?.split_once(',')?;
    if !head.ends_with(";base64") {
        return None;
    }
    let picture = image::load_from_memory(&BASE64_STANDARD.decode(data).ok()?)
        .ok()?
        .to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    grids.first()?.decode().ok().map(|(_, text)| text)
}
