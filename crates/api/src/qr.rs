//! A code to scan as a picture that an `<img>` shows as it is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use qrcodegen::{QrCode, QrCodeEcc};
use wagate_domain::model::Secret;
use wagate_domain::{Error, Result};

/// Light modules around the code that readers need, by the standard.
const QUIET_ZONE: i32 = 4;

/// The picture is at least this wide, in pixels.
const MIN_WIDTH: i32 = 256;

/// `data:image/png;base64,…`, black on white. Reads back as exactly this text.
pub(crate) fn data_uri(text: &Secret) -> Result<String> {
    // The lowest level asked for: the encoder raises it as far as the size of the code allows.
    let code = QrCode::encode_text(text.reveal(), QrCodeEcc::Low).map_err(Error::internal)?;
    let png = png(&code).map_err(Error::internal)?;
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)))
}

fn png(code: &QrCode) -> Result<Vec<u8>, png::EncodingError> {
    let modules = code.size() + 2 * QUIET_ZONE;
    // A whole number of pixels a module keeps the edges sharp.
    let scale = (MIN_WIDTH + modules - 1) / modules;
    let width = modules * scale;
    let pixels: Vec<u8> = (0..width)
        .flat_map(|y| row(code, y / scale, scale, width))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width.unsigned_abs(), width.unsigned_abs());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// One line of pixels, eight to a byte, 1 for white.
fn row(code: &QrCode, module_y: i32, scale: i32, width: i32) -> impl Iterator<Item = u8> {
    (0..width).step_by(8).map(move |x| {
        (0..8).fold(0, |byte, bit| {
            // Outside of the code every module is light.
            let light = !code.get_module((x + bit) / scale - QUIET_ZONE, module_y - QUIET_ZONE);
            byte << 1 | u8::from(light)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(text: &str) -> image::GrayImage {
        let uri = data_uri(&Secret::new(text)).unwrap();
        let png = BASE64_STANDARD
            .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        image::load_from_memory_with_format(&png, image::ImageFormat::Png)
            .unwrap()
            .to_luma8()
    }

    #[test]
    fn a_reader_reads_back_the_exact_text() {
        let pairing = format!("2@{}", "Ab1+/=,".repeat(34));
        for text in ["1", pairing.as_str(), &"x".repeat(2000)] {
            let image = picture(text);
            assert!(image.width() >= 256 && image.width() == image.height());
            let mut reader = rqrr::PreparedImage::prepare(image);
            let grids = reader.detect_grids();
            assert_eq!(grids.len(), 1);
            assert_eq!(grids[0].decode().unwrap().1, text);
        }
    }

    #[test]
    fn the_quiet_zone_is_white_and_modules_are_whole() {
        let image = picture("wagate");
        let width = image.width();
        let zone = image
            .enumerate_pixels()
            .find(|(.., pixel)| pixel.0[0] == 0)
            .unwrap()
            .1;
        assert_eq!(zone % 4, 0, "four modules of a whole number of pixels");
        assert!(image.enumerate_pixels().all(|(x, y, pixel)| {
            let inside = |at| (zone..width - zone).contains(&at);
            (inside(x) && inside(y)) || pixel.0[0] == 255
        }));
    }

    #[test]
    fn a_text_that_no_code_holds_is_an_error() {
        assert!(data_uri(&Secret::new("x".repeat(4000))).is_err());
    }
}
