//! Files in both directions, through the media host.

use crate::client::{Device, assert_clean, pn, until};
use crate::support::{ANNA, BEN, start};
use wa_sim::world::view::OutgoingMedia;
use wacore::download::MediaType;
use whatsapp_rust::UploadOptions;
use whatsapp_rust::media::{ImageOptions, image_message};

#[tokio::test]
async fn a_device_sends_a_picture_to_a_phone() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let picture = vec![0x89; 70_000];
    let uploaded = anna
        .client
        .upload(picture, MediaType::Image, UploadOptions::default())
        .await
        .unwrap();
    let options = ImageOptions {
        caption: Some("look".to_owned()),
        ..Default::default()
    };
    anna.client
        .send_message(pn(BEN), image_message(uploaded, options))
        .await
        .unwrap();
    let media = until(&sim.world, "the picture", |world| {
        world.messages(BEN).unwrap().pop()?.media
    })
    .await;
    assert_eq!((media.size, media.mimetype.as_str()), (70_000, "image/jpeg"));
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_phone_sends_a_document_to_a_device() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let media = OutgoingMedia {
        bytes: b"the contract".to_vec(),
        mimetype: "application/pdf".to_owned(),
        caption: None,
        file_name: Some("contract.pdf".to_owned()),
    };
    sim.world.send_media(BEN, ANNA, &media).unwrap();
    let document = anna
        .wait("a document", |event| {
            event
                .messages()
                .find_map(|message| message.message.document_message.as_option().cloned())
        })
        .await;
    assert_eq!(document.file_name.as_deref(), Some("contract.pdf"));
    assert_eq!(anna.client.download(&document).await.unwrap(), media.bytes);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}
