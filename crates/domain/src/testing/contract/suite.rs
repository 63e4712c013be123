//! The list of all stories, as tests of one implementor.

/// Makes a test of every story. The argument names an async function that opens an empty storage and
/// returns it with whatever must live as long as the test: `async fn open() -> (Storage, Guard)`.
#[macro_export]
macro_rules! storage_contract {
    ($open:ident) => {
        $crate::storage_contract! { @tests $open
            devices {
                a_new_device_is_found_with_all_its_fields
                creating_a_token_again_returns_the_first
                racing_creators_get_the_same_device
                update_overwrites_every_field
                update_misses_a_device_that_is_gone
                lists_are_oldest_first_and_come_in_pages
                text_finds_token_names_and_phone_in_any_case
                text_is_taken_literally
                filters_must_all_match
                standings_are_newest_first_and_filtered
                many_are_read_at_once
                deleting_takes_everything_along
                a_deleted_token_is_free_again
            }
            workspaces {
                names_are_distinct_sorted_and_counted
                a_name_lives_as_long_as_a_device_carries_it
                a_renamed_workspace_keeps_what_is_its_own
                a_name_in_use_is_not_taken
                a_deleted_workspace_leaves_its_devices
            }
            webhooks {
                a_seed_endpoint_is_found_by_its_device
                a_second_put_changes_the_address_alone
                a_new_address_wakes_a_disabled_endpoint
                an_endpoint_is_found_with_all_its_fields
                a_device_has_its_own_its_workspaces_and_the_global_ones
                endpoints_are_listed_oldest_first
                deleting_drops_what_is_on_its_way
                an_endpoint_needs_its_device
            }
            directory {
                contacts_are_merged
                a_contact_twice_in_one_batch_is_merged_in_order
                contacts_are_sorted_by_address_and_belong_to_a_device
                a_removed_contact_keeps_the_name_it_shows
                a_lookup_is_remembered_and_replaced
            }
            chats {
                a_history_is_newest_first_and_comes_in_pages
                a_message_is_shown_with_all_its_fields
                a_message_is_there_once
                ids_of_others_do_not_hide_ours
                own_messages_stand_between_those_of_others
                the_list_has_the_newest_conversation_first
                many_messages_of_one_commit_are_kept
                unread_messages_are_counted_until_they_are_read
                reading_names_what_was_unread
                a_message_is_completed_before_it_leaves
                a_history_is_searched
                the_list_is_searched
                old_messages_are_pruned_in_steps
                a_deleted_device_leaves_nothing
            }
            events {
                new_events_are_returned_in_order
                a_redelivered_event_is_left_out_with_its_deliveries
                a_key_counts_once_within_a_batch
                keys_belong_to_devices
                events_without_a_key_are_always_new
                racing_redeliveries_are_recorded_once
                batches_that_come_together_do_not_mix
                contacts_are_removed_in_the_order_of_the_batches
                a_batch_carries_the_device_after_it
                a_batch_that_fails_leaves_nothing
                a_large_batch_is_recorded_whole
                statuses_never_go_back
                a_change_of_status_carries_its_event
                the_log_is_read_page_by_page
                the_last_event_is_the_one_recorded_last
                old_events_are_pruned_in_steps
                recording_may_reserve
            }
            deliveries {
                a_reservation_has_all_that_is_sent
                a_reservation_hides_until_its_lease_runs_out
                a_new_process_takes_leases_back
                of_one_lane_only_the_oldest_is_handed_out
                lanes_do_not_wait_for_each_other
                a_reservation_is_shared_out
                a_retry_is_not_overtaken
                what_alone_is_refused_steps_aside
                what_is_recorded_behind_a_larger_id_has_its_turn
                a_receiver_that_refuses_everything_keeps_the_order
                a_success_hastens_what_waits
                a_dead_delivery_lets_the_next_go
                an_endpoint_that_is_gone_is_switched_off
                only_an_endpoint_that_takes_nothing_is_switched_off
                a_paused_endpoint_waits
                what_is_given_back_is_due_at_once
                what_is_settled_stays_settled
                a_round_of_settling_is_one_change
                racing_workers_share_nothing
                deliveries_follow_the_endpoint
                endpoints_that_are_gone_get_nothing
            }
            delivery_log {
                every_try_is_kept
                deliveries_are_listed_newest_first
                what_waits_and_what_was_given_up_is_counted
                a_delivery_is_made_again_on_demand
                many_deliveries_are_made_again
                a_replay_is_followed_and_undone
                what_is_asked_for_again_waits_for_its_endpoint
            }
            outbox {
                a_send_begins_queued
                an_unfinished_attempt_goes_on_with_its_first_id
                a_retry_gets_the_stored_answer
                a_key_with_another_request_is_refused
                keys_belong_to_devices
                old_keys_are_forgotten
                racing_attempts_agree_on_one_id
                a_status_never_goes_back
                a_send_needs_its_device
                messages_are_listed_newest_first
                what_never_ended_is_found
                old_messages_are_pruned_in_steps
            }
            keys {
                what_is_put_is_read_back
                a_put_replaces_value_and_expiry
                one_batch_may_mix_kinds
                the_last_entry_of_a_key_counts
                a_batch_that_fails_leaves_nothing
                replacing_does_not_bring_back
                deleting_ignores_what_is_missing
                a_scan_is_sorted_and_keeps_to_its_prefix
                deleting_a_prefix_says_how_many
                only_one_caller_takes_a_key
                expiry_includes_its_moment
                erasing_leaves_other_devices_alone
                large_batches_are_whole
                empty_calls_are_fine
            }
            admins {
                the_first_admin_is_found_by_name
                there_is_one_first_admin
            }
            sign_ins {
                a_sign_in_is_found_by_its_token
                a_sign_in_needs_its_admin
                a_sign_in_is_prolonged
                what_was_ended_does_not_come_back
                expired_sign_ins_are_pruned_in_steps
            }
            api_keys {
                keys_are_read_back_oldest_first
                a_deleted_key_is_gone
                last_uses_are_kept
            }
            settings {
                what_is_chosen_is_read_back
            }
        }
    };
    (@tests $open:ident $($port:ident { $($story:ident)+ })+) => {
        $(
            mod $port {
                $(
                    #[tokio::test]
                    async fn $story() {
                        let (store, _guard) = super::$open().await;
                        $crate::testing::contract::$port::$story(&store).await;
                    }
                )+
            }
        )+
    };
}
