//! A code to scan as a picture that an `<img>` shows as it is.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use qrcodegen::{QrCode, QrCodeEcc};
use wagate_domain::model::Secret;
use wagate_domain::{Error, Result};

/// Light modules around the code that readers need, by the standard.
const QUIET_ZONE: i32 = 4;

/// The picture is at least this wide, in pixels.
const MIN_WIDTH: i32 = 256;

/// A drawing, `<svg …>…</svg>`, black on white, one unit a module. Reads back as exactly this text.
pub(crate) fn svg(text: &Secret) -> Result<String> {
    let code = QrCode::encode_text(text.reveal(), QrCodeEcc::Low).map_err(Error::internal)?;
    let width = code.size() + 2 * QUIET_ZONE;
    let mut modules = String::new();
    for y in 0..code.size() {
        add_dark_runs(&code, y, &mut modules);
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{width}v{width}H0z\"/><path fill=\"#000\" d=\"{modules}\"/></svg>"
    ))
}

/// Adds the dark modules of a line to a path, those that touch as one rectangle.
fn add_dark_runs(code: &QrCode, y: i32, path: &mut String) {
    let columns: Vec<i32> = (0..code.size()).collect();
    let is_dark = |x: i32| code.get_module(x, y);
    for run in columns.chunk_by(|a, b| is_dark(*a) == is_dark(*b)) {
        if is_dark(run[0]) {
            let (from, to) = (run[0] + QUIET_ZONE, run[run.len() - 1] + 1 + QUIET_ZONE);
            // Writing to a text cannot fail.
            let _ = write!(path, "M{from} {}H{to}v1H{from}z", y + QUIET_ZONE);
        }
    }
}

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

    /// The drawing as pixels, by its own words: a white square, and a black rectangle for each run.
    fn drawn(svg: &str) -> image::GrayImage {
        const SCALE: u32 = 4;
        fn between<'a>(svg: &'a str, from: &str, to: &str) -> &'a str {
            svg.split_once(from).unwrap().1.split_once(to).unwrap().0
        }
        let width: u32 = between(svg, "viewBox=\"0 0 ", " ").parse().unwrap();
        let mut image = image::GrayImage::from_pixel(width * SCALE, width * SCALE, image::Luma([255]));
        for run in between(svg, "fill=\"#000\" d=\"", "\"").split_terminator('z') {
            let number = |from: &str, to: &str| -> u32 { between(run, from, to).parse().unwrap() };
            let (x, y, end) = (number("M", " "), number(" ", "H"), number("H", "v1"));
            assert!(x >= 4 && y >= 4 && end <= width - 4 && y < width - 4, "{run}");
            for (x, y) in
                (x * SCALE..end * SCALE).flat_map(|x| (y * SCALE..(y + 1) * SCALE).map(move |y| (x, y)))
            {
                image.put_pixel(x, y, image::Luma([0]));
            }
        }
        image
    }

    #[test]
    fn a_reader_reads_the_drawing_too() {
        let pairing = format!("2@{}", "Ab1+/=,".repeat(34));
        let svg = svg(&Secret::new(pairing.clone())).unwrap();
        assert!(svg.contains("fill=\"#fff\" d=\"M0 0h"));
        let mut reader = rqrr::PreparedImage::prepare(drawn(&svg));
        assert_eq!(reader.detect_grids()[0].decode().unwrap().1, pairing);
    }

    #[test]
    fn a_text_that_no_code_holds_is_an_error() {
        assert!(data_uri(&Secret::new("x".repeat(4000))).is_err());
    }
}
