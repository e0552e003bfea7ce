/* SPDX-License-Identifier: BSD-3-Clause
 * Commands that act on media: which party, what stays over re-offers, digits, recordings. The
 * requests are those of Kamailio's rtpengine module. */
#include "control/rig.h"

#define BLOCK   "{'command':'block media','call-id':'c'"
#define UNBLOCK "{'command':'unblock media','call-id':'c'"
#define PLAY    "{'code':'5','duration':'250','call-id':'c','from-tag':'a','command':'play DTMF'}"

static void fails(rig *r, const char *request, const char *reason)
{
    char *reply = g_strdup_printf("{'result':'error','error-reason':'%s'}", reason);
    CU_ASSERT_TRUE(rig_says(r, request, reply));
    g_free(reply);
}

static void works(rig *r, const char *request)
{
    CU_ASSERT_TRUE(rig_says(r, request, OK));
}

static void acts_are(uint8_t a, uint8_t b)
{
    CU_ASSERT_EQUAL(fake_session_acts[AGW_SIDE_A], a);
    CU_ASSERT_EQUAL(fake_session_acts[AGW_SIDE_B], b);
}

static bool query_says(rig *r, const char *text)
{
    char *reply = rig_ask(r, "{'command':'query','call-id':'c'}");
    const bool found = strstr(reply, text) != NULL;
    if (!found)
        printf("\n    %s is not in %s\n", text, reply);
    g_free(reply);
    return found;
}

/* --- which party -------------------------------------------------------------------------------
 */

static void test_acts_ng_4_the_party_is_found(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b',"
                            "'sdp':'v=0','label':'phone'}",
                            ANSWERED));
    works(&r, BLOCK ",'from-tag':'a'}");
    acts_are(AGW_ACT_BLOCK, 0);
    works(&r, BLOCK ",'label':'phone'}");
    acts_are(AGW_ACT_BLOCK, AGW_ACT_BLOCK);
    works(&r, UNBLOCK ",'from-tag':'a'}");
    acts_are(0, AGW_ACT_BLOCK);
    works(&r, UNBLOCK ",'address':'10.9.0.9'}"); /* where the phone receives */
    acts_are(0, 0);
    works(&r, BLOCK "}");
    acts_are(AGW_ACT_BLOCK, AGW_ACT_BLOCK);
    works(&r, UNBLOCK "}");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_ng_4_error_texts(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    fails(&r, "{'command':'block media'}", "No call-id in message");
    fails(&r, "{'command':'block media','call-id':'x'}", "Unknown call-ID");
    fails(&r, BLOCK ",'from-tag':'x'}", "From-tag given, but no such tag exists");
    fails(&r, BLOCK ",'label':'x'}", "No monologue matching the given label");
    fails(&r, BLOCK ",'address':'x'}", "Failed to parse network address");
    fails(&r, BLOCK ",'address':'192.0.2.1'}", "Failed to match address to any tag");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_a_block_of_one_party_is_not_the_calls(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, BLOCK ",'from-tag':'a'}");
    works(&r, UNBLOCK "}");
    acts_are(AGW_ACT_BLOCK, 0); /* as in rtpengine */
    works(&r, UNBLOCK ",'flags':['all']}");
    acts_are(0, 0);
    works(&r, "{'command':'block DTMF','call-id':'c','from-tag':'b'}");
    works(&r, BLOCK ",'from-tag':'b'}");
    acts_are(0, AGW_ACT_BLOCK | AGW_ACT_BLOCK_DTMF);
    CU_ASSERT_TRUE(query_says(&r, "'blocked':['media','DTMF']"));
    works(&r, "{'command':'unblock DTMF','call-id':'c','flags':['all']}");
    acts_are(0, AGW_ACT_BLOCK);
    rig_fini(&r);
}

static void test_acts_egress_blocks_what_is_sent_to_the_party(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, BLOCK ",'from-tag':'a','flags':['egress']}");
    acts_are(0, AGW_ACT_BLOCK);
    CU_ASSERT_TRUE(query_says(&r, "'blocked':['egress']"));
    works(&r, UNBLOCK ",'from-tag':'a','flags':['egress']}");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_ng_4_silence_media_is_another_thing_than_a_block(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, "{'command':'silence media','call-id':'c','from-tag':'b'}");
    acts_are(0, AGW_ACT_SILENCE);
    CU_ASSERT_TRUE(query_says(&r, "'blocked':['silence']"));
    works(&r, BLOCK ",'from-tag':'b'}");
    acts_are(0, AGW_ACT_BLOCK | AGW_ACT_SILENCE);
    works(&r, UNBLOCK ",'flags':['all']}");
    acts_are(0, AGW_ACT_SILENCE);
    works(&r, "{'command':'unsilence media','call-id':'c','from-tag':'b'}");
    works(&r, "{'command':'silence media','call-id':'c'}");
    acts_are(AGW_ACT_SILENCE, AGW_ACT_SILENCE);
    works(&r, "{'command':'unsilence media','call-id':'c','flags':['all']}");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_detect_dtmf_listens_to_both_from_then_on(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b',"
                            "'sdp':'v=0','flags':['detect-DTMF','inject-DTMF']}",
                            ANSWERED));
    acts_are(AGW_ACT_DETECT, AGW_ACT_DETECT);
    works(&r, BLOCK ",'from-tag':'a'}");
    acts_are(AGW_ACT_DETECT | AGW_ACT_BLOCK, AGW_ACT_DETECT);
    rig_fini(&r);
}

/* --- flags of offers and answers ---------------------------------------------------------------
 */

static void test_acts_flags_of_an_offer_stay(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'flags':['block-DTMF','block-egress']}",
                            OFFERED));
    acts_are(AGW_ACT_BLOCK_DTMF, AGW_ACT_BLOCK_DTMF | AGW_ACT_BLOCK);
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    acts_are(AGW_ACT_BLOCK_DTMF, AGW_ACT_BLOCK_DTMF | AGW_ACT_BLOCK);
    rig_fini(&r);
}

static void test_acts_media_echo_blackhole_passes_nothing_on(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'media echo':'blackhole'}",
                            OFFERED));
    acts_are(AGW_ACT_BLOCK, AGW_ACT_BLOCK);
    rig_fini(&r);
}

static void test_acts_ng_4_all_is_a_key_too(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, BLOCK ",'from-tag':'a'}");
    works(&r, UNBLOCK ",'all':'none'}"); /* of the whole call: not the party's */
    acts_are(AGW_ACT_BLOCK, 0);
    works(&r, UNBLOCK ",'all':'all'}");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_drop_traffic_starts_and_stops(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'drop-traffic':'start'}",
                            OFFERED));
    acts_are(AGW_ACT_BLOCK, AGW_ACT_BLOCK);
    CU_ASSERT_TRUE(query_says(&r, "'blocked':['media']"));
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b',"
                            "'sdp':'v=0','drop-traffic':'stop'}",
                            ANSWERED));
    acts_are(0, 0);
    rig_fini(&r);
}

/* --- digits ------------------------------------------------------------------------------------
 */

static void test_acts_play_dtmf_as_kamailio_asks(void)
{
    rig r;
    agw_dtmf_order d;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, PLAY);
    CU_ASSERT_EQUAL_FATAL(fake_gateway_digits(r.gateway, &d), 1);
    CU_ASSERT_TRUE(d.event == 5 && d.from == AGW_SIDE_A && d.media_id == 1);
    CU_ASSERT_TRUE(d.duration_ms == 250 && d.pause_ms == 100 && d.volume == 8);
    works(&r, "{'command':'play DTMF','call-id':'c','from-tag':'b','digit':'#','volume':-20,"
              "'pause':200,'duration':99}");
    (void)fake_gateway_digits(r.gateway, &d);
    CU_ASSERT_TRUE(d.event == 11 && d.from == AGW_SIDE_B && d.volume == 20);
    CU_ASSERT_TRUE(d.duration_ms == 100 && d.pause_ms == 200);
    works(&r, "{'command':'play DTMF','call-id':'c','flags':['all'],'code':15,'duration':6000,"
              "'volume':-999}");
    CU_ASSERT_EQUAL(fake_gateway_digits(r.gateway, &d), 4);
    CU_ASSERT_TRUE(d.event == 15 && d.duration_ms == 5000 && d.volume == 63);
    rig_fini(&r);
}

static void test_acts_play_dtmf_error_texts(void)
{
    rig r;
    agw_dtmf_order d;
    rig_init(&r, NULL);
    rig_call(&r);
#define PLAY_WITH "{'command':'play DTMF','call-id':'c','from-tag':'a'"
    fails(&r, "{'command':'play DTMF','call-id':'c','code':5}", "No participant party specified");
    fails(&r, PLAY_WITH "}", "No valid 'code' specified");
    fails(&r, PLAY_WITH ",'code':''}", "No valid 'code' specified");
    fails(&r, PLAY_WITH ",'code':'ab'}", "Given 'code' is not a single digit");
    fails(&r, PLAY_WITH ",'code':'x'}", "Invalid 'code' character");
    fails(&r, PLAY_WITH ",'code':16}", "Out of range 'code' specified");
    fails(&r, PLAY_WITH ",'code':-1}", "Out of range 'code' specified");
    fake_session.no_dtmf = fake_session.deaf = true;
    fails(&r, PLAY, "Sink monologue has no media capable of DTMF playback");
    CU_ASSERT_EQUAL(fake_gateway_digits(r.gateway, &d), 0);
    rig_fini(&r);
}

/* --- DTMF-security -----------------------------------------------------------------------------
 */

#define HIDE "{'command':'block DTMF','call-id':'c','from-tag':'a'"

static void shield_is(int side, agw_shield_mode mode, uint8_t digit)
{
    CU_ASSERT_EQUAL(fake_session_shield[side].mode, mode);
    CU_ASSERT_EQUAL(fake_session_shield[side].digit, digit);
}

static void test_acts_dtmf_security_modes(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, HIDE "}");
    acts_are(AGW_ACT_BLOCK_DTMF, 0);
    shield_is(AGW_SIDE_A, AGW_SHIELD_DROP, 0);
    works(&r, HIDE ",'DTMF-security':'silence'}");
    shield_is(AGW_SIDE_A, AGW_SHIELD_SILENCE, 0);
    shield_is(AGW_SIDE_B, AGW_SHIELD_DROP, 0);
    works(&r, HIDE ",'DTMF security':'random'}");
    shield_is(AGW_SIDE_A, AGW_SHIELD_RANDOM, 0);
    works(&r, HIDE ",'DTMF-security':'zero','digit':'7'}");
    shield_is(AGW_SIDE_A, AGW_SHIELD_DIGIT, 0);
    works(&r, HIDE ",'DTMF-security':'DTMF','digit':'#','volume':-20}");
    shield_is(AGW_SIDE_A, AGW_SHIELD_DIGIT, 11);
    CU_ASSERT_EQUAL(fake_session_shield[AGW_SIDE_A].volume, 20);
    works(&r, HIDE ",'DTMF-security':'tone','frequencies':'400,1000'}");
    shield_is(AGW_SIDE_A, AGW_SHIELD_TONE, 0);
    CU_ASSERT_EQUAL(fake_session_shield[AGW_SIDE_A].volume, 10);
    CU_ASSERT_EQUAL(fake_session_shield[AGW_SIDE_A].tones_hz[1], 1000);
    CU_ASSERT_EQUAL(fake_session_shield[AGW_SIDE_A].tones_hz[2], 0);
    works(&r, HIDE ",'DTMF-security':'off'}");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_dtmf_security_error_texts(void)
{
    static const char *const BAD[][2] = {
        {"'DTMF-security':'loud'", "Unknown DTMF-security mode"},
        {"'DTMF-security-trigger':'x'", "Unknown DTMF-security mode"},
        {"'trigger':'12x'", "Invalid character in a trigger"},
        {"'trigger-end':'012345678901234567890123456789012'", "Too many digits in a trigger"},
        {"'frequency':'50'", "Out of range frequency specified"},
        {"'frequencies':'400,400,400,400,400,400,400,400,400'", "Out of range frequency specified"},
        {"'digit':'16'", "Out of range 'code' specified"},
    };
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, HIDE ",'DTMF-security':'silence'}");
    for (size_t i = 0; i < G_N_ELEMENTS(BAD); i++) {
        char *request = g_strdup_printf(HIDE ",%s}", BAD[i][0]);
        fails(&r, request, BAD[i][1]);
        g_free(request);
    }
    acts_are(AGW_ACT_BLOCK_DTMF, 0); /* as it was */
    shield_is(AGW_SIDE_A, AGW_SHIELD_SILENCE, 0);
    rig_fini(&r);
}

static void press(rig *r, agw_side side, const char *digits)
{
    for (; *digits != '\0'; digits++) {
        const agw_event event = {.kind = AGW_EVENT_DTMF,
                                 .dtmf = {.side = (uint8_t)side, .digit = *digits}};
        fake_gateway_push(r->gateway, fake_gateway_last_call(r->gateway), &event);
    }
    rig_at(r, r->now);
}

static void test_acts_dtmf_triggers_switch_the_block(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r,
          HIDE ",'DTMF-security':'off','trigger':'*1','trigger-end':'#','DTMF-security-trigger':"
               "'silence','DTMF-security-trigger-end':'zero','trigger-end-digits':4}");
    acts_are(0, 0);
    press(&r, AGW_SIDE_B, "*1"); /* of the other party */
    press(&r, AGW_SIDE_A, "1*");
    acts_are(0, 0);
    press(&r, AGW_SIDE_A, "1");
    acts_are(AGW_ACT_BLOCK_DTMF, 0);
    shield_is(AGW_SIDE_A, AGW_SHIELD_SILENCE, 0);
    press(&r, AGW_SIDE_A, "12#");
    acts_are(AGW_ACT_BLOCK_DTMF, 0);
    shield_is(AGW_SIDE_A, AGW_SHIELD_DIGIT, 0);
    press(&r, AGW_SIDE_A, "*1123");
    shield_is(AGW_SIDE_A, AGW_SHIELD_SILENCE, 0);
    press(&r, AGW_SIDE_A, "4"); /* the fourth */
    shield_is(AGW_SIDE_A, AGW_SHIELD_DIGIT, 0);
    works(&r, "{'command':'unblock DTMF','call-id':'c','from-tag':'a'}");
    press(&r, AGW_SIDE_A, "*1");
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_dtmf_trigger_ends_after_its_time(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    works(&r, "{'command':'block DTMF','call-id':'c','DTMF-security':'off','trigger':'9',"
              "'trigger-end-time':'2000'}");
    press(&r, AGW_SIDE_B, "9");
    acts_are(AGW_ACT_BLOCK_DTMF, AGW_ACT_BLOCK_DTMF);
    rig_at(&r, r.now + AGW_MS(1999));
    acts_are(AGW_ACT_BLOCK_DTMF, AGW_ACT_BLOCK_DTMF);
    rig_at(&r, r.now + AGW_MS(1));
    acts_are(0, 0);
    rig_fini(&r);
}

/* --- recordings --------------------------------------------------------------------------------
 */

static void test_acts_a_recording_is_started_paused_and_stopped(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    fails(&r, "{'command':'start recording','call-id':'x'}", "Unknown call-id");
    fails(&r, "{'command':'start recording'}", "No call-id in message");
    fails(&r, "{'command':'start recording','call-id':'c'}",
          "Recording is not configured (--recording-dir)");
    acts_are(0, 0);
    rig_fini(&r);
}

static void rig_with_folder(rig *r)
{
    rig_init(r, NULL);
    agw_control_fini(&r->ctl);
    agw_calls_free(r->calls);
    agw_gateway_free(r->gateway); /* another one, that can record */
    char why[100];
    r->config.gateway.recording_dir = "/somewhere";
    AGW_ASSERT(agw_gateway_new(&r->gateway, &r->config.gateway, why, sizeof why) == AGW_OK);
    r->calls = agw_calls_new(&r->config, r->gateway, r->events);
    agw_control_init(&r->ctl, &r->config, r->gateway, r->calls, r->events);
}

static void test_acts_recording_states_are_shown(void)
{
    rig r;
    rig_with_folder(&r);
    rig_call(&r);
    works(&r, "{'command':'start recording','call-id':'c','metadata':'m','recording-file':'f'}");
    acts_are(AGW_ACT_TAP, AGW_ACT_TAP);
    CU_ASSERT_TRUE(
        query_says(&r, "'recording':{'state':'on','file':'c|f|m|a','files':['c|f|m|a'],'packets':1,"
                       "'bytes':2,'lost':3}"));
    works(&r, "{'command':'pause recording','call-id':'c'}");
    acts_are(0, 0);
    CU_ASSERT_TRUE(query_says(&r, "'state':'paused'"));
    works(&r, "{'command':'start recording','call-id':'c'}"); /* goes on in the same file */
    acts_are(AGW_ACT_TAP, AGW_ACT_TAP);
    CU_ASSERT_TRUE(query_says(&r, "'file':'c|f|m|a'"));
    works(&r, "{'command':'stop recording','call-id':'c'}");
    acts_are(0, 0);
    CU_ASSERT_FALSE(query_says(&r, "'recording'"));
    works(&r, "{'command':'stop recording','call-id':'c'}");
    rig_fini(&r);
}

static void test_acts_recording_output_says_which_files(void)
{
    rig r;
    rig_with_folder(&r);
    rig_call(&r);
    const agw_call_ref *ref = fake_gateway_last_call(r.gateway);
    works(&r, "{'command':'start recording','call-id':'c'}");
    CU_ASSERT_EQUAL(fake_call_outputs(ref), r.config.record_outputs);
    works(&r, "{'command':'stop recording','call-id':'c'}");
    works(&r, "{'command':'start recording','call-id':'c','recording-output':['stereo','mono'],"
              "'output-destination':'f'}");
    CU_ASSERT_EQUAL(fake_call_outputs(ref), AGW_RECORD_STEREO | AGW_RECORD_MONO);
    CU_ASSERT_TRUE(query_says(&r, "'file':'c|f|-|a'"));
    rig_fini(&r);
}

static void test_acts_stop_recording_may_pause_or_discard(void)
{
    rig r;
    rig_with_folder(&r);
    rig_call(&r);
    works(&r, "{'command':'start recording','call-id':'c'}");
    works(&r, "{'command':'stop recording','call-id':'c','pause':'yes'}");
    CU_ASSERT_TRUE(query_says(&r, "'state':'paused'"));
    works(&r, "{'command':'start recording','call-id':'c'}");
    works(&r, "{'command':'stop recording','call-id':'c','flags':['pause']}");
    CU_ASSERT_TRUE(query_says(&r, "'state':'paused'"));
    CU_ASSERT_EQUAL(fake_gateway_discarded(r.gateway), 0);
    works(&r, "{'command':'stop recording','call-id':'c','flags':['discard-recording']}");
    CU_ASSERT_FALSE(query_says(&r, "'recording'"));
    CU_ASSERT_EQUAL(fake_gateway_discarded(r.gateway), 1);
    works(&r, "{'command':'start recording','call-id':'c'}");
    char *reply = rig_ask(
        &r, "{'command':'delete','call-id':'c','from-tag':'a','flags':['discard recording']}");
    g_free(reply);
    CU_ASSERT_EQUAL(fake_gateway_discarded(r.gateway), 2);
    rig_fini(&r);
}

static void test_acts_exclude_recording_leaves_nothing_to_record(void)
{
    rig r;
    rig_with_folder(&r);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'record-call':'yes','flags':['exclude-recording']}",
                            OFFERED));
    acts_are(0, 0);
    rig_fini(&r);
}

static void test_acts_record_call_begins_with_the_offer(void)
{
    rig r;
    rig_with_folder(&r);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'record-call':'yes','metadata':'m'}",
                            OFFERED));
    acts_are(AGW_ACT_TAP, AGW_ACT_TAP);
    CU_ASSERT_TRUE(query_says(&r, "'file':'c|-|m|a'"));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    const agw_event failed = {.kind = AGW_EVENT_RECORDING_FAILED, .detail = "f: disk full"};
    fake_gateway_push(r.gateway, fake_gateway_last_call(r.gateway), &failed);
    rig_at(&r, r.now);
    acts_are(0, 0); /* the call goes on without */
    CU_ASSERT_FALSE(query_says(&r, "'recording'"));
    rig_fini(&r);
}

static void test_acts_record_call_without_a_folder_is_passed_over(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'flags':['record-call']}",
                            OFFERED));
    acts_are(0, 0);
    rig_fini(&r);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_acts_ng_4_the_party_is_found),
    AGW_CASE(test_acts_ng_4_error_texts),
    AGW_CASE(test_acts_a_block_of_one_party_is_not_the_calls),
    AGW_CASE(test_acts_egress_blocks_what_is_sent_to_the_party),
    AGW_CASE(test_acts_ng_4_silence_media_is_another_thing_than_a_block),
    AGW_CASE(test_acts_detect_dtmf_listens_to_both_from_then_on),
    AGW_CASE(test_acts_flags_of_an_offer_stay),
    AGW_CASE(test_acts_drop_traffic_starts_and_stops),
    AGW_CASE(test_acts_media_echo_blackhole_passes_nothing_on),
    AGW_CASE(test_acts_ng_4_all_is_a_key_too),
    AGW_CASE(test_acts_play_dtmf_as_kamailio_asks),
    AGW_CASE(test_acts_play_dtmf_error_texts),
    AGW_CASE(test_acts_a_recording_is_started_paused_and_stopped),
    AGW_CASE(test_acts_dtmf_security_modes),
    AGW_CASE(test_acts_dtmf_security_error_texts),
    AGW_CASE(test_acts_dtmf_triggers_switch_the_block),
    AGW_CASE(test_acts_dtmf_trigger_ends_after_its_time),
    AGW_CASE(test_acts_recording_states_are_shown),
    AGW_CASE(test_acts_recording_output_says_which_files),
    AGW_CASE(test_acts_stop_recording_may_pause_or_discard),
    AGW_CASE(test_acts_exclude_recording_leaves_nothing_to_record),
    AGW_CASE(test_acts_record_call_begins_with_the_offer),
    AGW_CASE(test_acts_record_call_without_a_folder_is_passed_over),
};

AGW_UNIT_MAIN("media_acts", cases)
