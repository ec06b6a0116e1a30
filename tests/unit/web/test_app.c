/* Building applications: classes with inherited slots, errors that are remembered, options of old programs. */
#include "web/web_test.h"

static int grand_get(tn_req *r)
{
    return tn_write(r, "grand get");
}

static int grand_post(tn_req *r)
{
    return tn_write(r, "grand post");
}

static int grand_prepare(tn_req *r)
{
    leave("prepare");
    return tn_set_header(r, "X-Prepared", "yes");
}

static int parent_post(tn_req *r)
{
    return tn_write(r, "parent post");
}

static int child_put(tn_req *r)
{
    leave("%s", tn_self(r) ? (const char *)tn_self(r) : "no state");
    return tn_write(r, "child put");
}

static int child_initialize(tn_req *r)
{
    memcpy(tn_self(r), "state", 6);
    return 0;
}

static const tn_handler Grand = {.prepare = grand_prepare, .get = grand_get, .post = grand_post, .size = 64};
static const tn_handler Parent = {.super = &Grand, .post = parent_post};
static const tn_handler Child = {.super = &Parent, .put = child_put, .initialize = child_initialize};

TEST(app, fills_empty_slots_from_the_nearest_ancestor)
{
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Child}, {.path = "/parent", .handler = &Parent}, {0}});
    assert_get(&s, "/", "200 grand get");
    assert_string_equal(ask_for(&s, "POST", "/"), "200 parent post");
    assert_string_equal(ask_for(&s, "PUT", "/"), "200 child put");
    assert_trail("prepare prepare prepare state");
    assert_string_equal(ask_for(&s, "PUT", "/parent"), "405 <87 bytes>");
    stage_close(&s);
}

static const tn_handler Heir;

static int heir_prepare(tn_req *r)
{
    leave("heir");
    return tn_super(r, &Heir, prepare);
}

static int heir_post(tn_req *r)
{
    leave("heir");
    return tn_super(r, &Heir, post);
}

static int heir_patch(tn_req *r)
{
    leave("heir %d", tn_super(r, &Heir, patch));
    return tn_write(r, "heir patch");
}

static const tn_handler Heir = {.super = &Child, .prepare = heir_prepare, .post = heir_post, .patch = heir_patch};

TEST(app, calls_what_an_overriding_function_would_have_inherited)
{
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Heir}, {0}});
    assert_string_equal(ask_for(&s, "POST", "/"), "200 parent post"); /* the nearest ancestor's, however far */
    assert_trail("heir prepare heir");
    assert_string_equal(ask_for(&s, "PATCH", "/"), "200 heir patch"); /* which nobody else answers */
    assert_trail("heir prepare heir 0");
    stage_close(&s);
}

TEST(app, gives_each_request_a_state_of_its_own_zeroed)
{
    stage s;
    static const tn_handler Counting = {.super = &Child, .get = child_put};
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Counting}, {.path = "/none", .function = child_put}, {0}});
    get(&s, "/");
    get(&s, "/");
    get(&s, "/none");
    assert_trail("prepare state prepare state no state");
    stage_close(&s);
}

TEST(app, flattens_a_handler_once_for_all_its_routes)
{
    tn_app *app = tn_app_new((tn_route[]){{.path = "/a", .handler = &Child}, {.path = "/b", .handler = &Child}, {0}});
    tn__groups groups;
    const tn__rule *a = tn__app_route(app, TN_S(""), TN_S("/a"), &groups), *b = tn__app_route(app, TN_S(""), TN_S("/b"), &groups);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a->cls, b->cls);
    tn_app_free(app);
}

TEST(app, remembers_its_first_error)
{
    tn_app *app = tn_app_new((tn_route[]){{.path = "/(", .function = grand_get}, {.path = "/)", .function = grand_get}, {0}});
    tn_error err = {0};
    assert_int_equal(tn_app_error(app, &err), TN_EPATTERN);
    assert_int_equal(err.code, TN_EPATTERN);
    assert_memory_equal(err.text, "/(: ", 4);
    assert_int_equal(tn_app_error(app, NULL), TN_EPATTERN);
    tn_app_free(app);
}

TEST(app, refuses_a_route_with_neither_handler_nor_function_and_one_with_both)
{
    static const tn_route bad[][2] = {{{.path = "/none"}}, {{.path = "/both", .handler = &Child, .function = grand_get}}};
    for (int i = 0; i < 2; i++) {
        tn_app *app = tn_app_new(bad[i]);
        tn_error err = {0};
        assert_int_equal(tn_app_error(app, &err), TN_EINVAL);
        assert_has(err.text, "either a handler or a function");
        tn_app_free(app);
    }
}

TEST(app, refuses_a_bad_pattern_of_a_host)
{
    tn_app *app = tn_app_new((tn_route[]){{.path = "/", .function = grand_get, .host = "["}, {0}});
    assert_int_equal(tn_app_error(app, NULL), TN_EPATTERN);
    tn_app_free(app);
}

TEST(app, takes_null_where_there_is_nothing)
{
    tn_error err = {0};
    assert_int_equal(tn_app_error(NULL, &err), TN_ENOMEM);
    assert_int_equal(err.code, TN_ENOMEM);
    assert_null(tn_app_add_routes(NULL, (tn_route[]){{0}}));
    tn_app_free(NULL);
    int mine;
    tn_app *app = tn_app_new(NULL, .data = &mine);
    assert_ptr_equal(tn_app_add_routes(app, NULL), app);
    assert_int_equal(tn_app_error(app, &err), TN_OK);
    assert_ptr_equal(tn_app_data(app), &mine);
    tn_app_free(app);
}

TEST(app, takes_more_routes_behind_the_present_ones)
{
    static const tn_route first[] = {{.path = "/a", .handler = &Grand}, {0}};
    static const tn_route more[] = {{.path = "/a", .function = parent_post}, {.path = "/b", .function = parent_post}, {0}};
    stage s;
    stage_open_app(&s, tn_app_add_routes(tn_app_new(first), more), NULL);
    assert_get(&s, "/a", "200 grand get");
    assert_get(&s, "/b", "200 parent post");
    stage_close(&s);
}

TEST(app, reads_no_further_into_the_options_than_an_old_program_filled_them)
{
    tn_app_opts opts = {.debug = true};
    memset((char *)&opts + offsetof(tn_app_opts, default_handler), 0xff, sizeof opts - offsetof(tn_app_opts, default_handler));
    opts.routes = NULL;
    tn_app *app = tn_app_new_(&opts, offsetof(tn_app_opts, default_handler));
    assert_int_equal(tn_app_error(app, NULL), TN_OK);
    assert_null(tn_app_data(app));
    tn_app_free(app);
}

TEST(app, without_memory_is_null_or_says_so)
{
    static const tn_route routes[] = {
        {.path = "/", .handler = &Child},
        {.path = "/(.*)", .handler = &Child, .host = "a.*"},
        {.path = "/f", .function = grand_get},
        {0},
    };
    bool failed = true;
    for (long n = 0; failed; n++) {
        tn__alloc_fail_after(n, false);
        tn_app *app = tn_app_new(routes, .default_handler = &Parent);
        failed = tn__alloc_count() > n;
        tn__alloc_fail_after(-1, false);
        int error = tn_app_error(app, NULL);
        if (error)
            assert_int_equal(error, TN_ENOMEM); /* patterns put up with some failures: they are not compiled to machine code */
        if (!failed) assert_int_equal(error, TN_OK);
        tn_app_free(app);
    }
}
