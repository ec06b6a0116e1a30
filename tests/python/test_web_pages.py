"""What Tornado's own web_test leaves open about pages from templates, and UI modules."""

import gc
import weakref

import pytest
from serving import answers, request
from tornado.template import DictLoader
from tornado.web import Application, RequestHandler, UIModule


class Page(RequestHandler):
    def get(self):
        self.render("page.html")


def page(templates, handler=Page, method="GET", **settings):
    if isinstance(templates, str):
        templates = {"page.html": templates}
    RequestHandler._template_loaders.clear()
    app = Application([("/", handler)], template_loader=DictLoader(templates), **settings)
    [answer] = answers(app, request("/", method=method))
    return answer


def test_a_template_sees_the_handler_and_what_belongs_to_it():
    source = "{{ request.path }} {{ handler.get_status() }} {{ locale.code }} {{ _('a') }} {{ pgettext('b', 'c') }} {{ current_user }}"
    assert page(source).body == b"/ 200 en_US a c None"


def test_templates_without_a_path_are_next_to_the_file_that_renders(tmp_path):
    (tmp_path / "near.html").write_text("near {{ x }}")
    program = "from tornado.web import RequestHandler\nclass Near(RequestHandler):\n    def get(self):\n        self.render('near.html', x=1)"
    namespace = {"__name__": "near"}
    exec(compile(program, str(tmp_path / "near.py"), "exec"), namespace)
    [answer] = answers(Application([("/", namespace["Near"])]), request("/"))
    assert answer.body == b"near 1"


def test_a_template_that_changes_is_read_again_only_without_the_cache(tmp_path):
    for cached, expected in ((True, b"1"), (False, b"2")):
        (tmp_path / "page.html").write_text("1")
        RequestHandler._template_loaders.clear()
        app = Application([("/", Page)], template_path=str(tmp_path), compiled_template_cache=cached)
        assert answers(app, request("/"))[0].body == b"1"
        (tmp_path / "page.html").write_text("2")
        assert answers(app, request("/"))[0].body == expected


def test_escaping_is_a_setting(tmp_path):
    (tmp_path / "page.html").write_text("{{ '<' }}   .")
    for settings, expected in (({}, b"&lt; ."), ({"autoescape": None, "template_whitespace": "all"}, b"<   .")):
        RequestHandler._template_loaders.clear()
        app = Application([("/", Page)], template_path=str(tmp_path), **settings)
        assert answers(app, request("/"))[0].body == expected


class Box(UIModule):
    def render(self, text):
        return self.render_string("box.html", text=text)

    def css_files(self):
        return ["box.css", "https://cdn.example/x.css"]

    def javascript_files(self):
        return "a&b.js"

    def embedded_javascript(self):
        return "box()"


def test_what_modules_need_is_in_the_page_once_and_escaped(tmp_path):
    (tmp_path / "box.css").write_bytes(b"x")
    page_source = "<head></head><body>{% module Box('<') %}{% raw modules.Box('2') %}{% raw modules['Box']('3') %}</body>"
    answer = page(
        {"page.html": page_source, "box.html": "[{{ text }}]"},
        ui_modules={"Box": Box}, static_path=str(tmp_path), static_url_prefix="/s/",
    )  # fmt: skip
    text = answer.body.decode()
    assert "[&lt;][2][3]" in text
    assert text.count('<link href="/s/box.css?v=') == 1 and text.count('href="https://cdn.example/x.css"') == 1
    assert text.count('<script src="/s/a&amp;b.js" type="text/javascript">') == 1 and text.count("box()") == 1
    assert text.index("stylesheet") < text.index("</head>") < text.index("box()") < text.index("</body>")


def test_a_template_cannot_ask_for_one_thing_and_then_for_another(caplog):
    source = "{% module Template('part.html', name='a') %}{% module Template('part.html', name='b') %}"
    answer = page({"page.html": source, "part.html": "{{ set_resources(css_files=[name]) }}"})
    assert answer.code == 500 and "different resources for the same template part.html" in caplog.text


def test_an_unknown_module_is_an_attribute_error(caplog):
    assert page("{% module Nothing() %}").code == 500
    assert "AttributeError: 'Nothing'" in caplog.text


def test_methods_and_modules_may_come_from_lists_and_modules():
    import types

    methods = types.ModuleType("methods")
    methods.shout = lambda handler, text: text.upper() + handler.request.path
    methods.Other = methods._hidden = None
    answer = page("{{ shout('a') }} {{ more() }} {{ handler.ui.shout('b') }}", ui_methods=[methods, {"more": lambda handler: "m"}])
    assert answer.body == b"A/ m B/"


def test_the_form_has_the_token_of_the_cookie():
    answer = page("{% module xsrf_form_html() %}", xsrf_cookie_version=1)
    token = answer.headers["Set-Cookie"].split("=")[1].split(";")[0]
    assert answer.body.decode() == f'<input type="hidden" name="_xsrf" value="{token}"/>'


def test_nothing_can_be_rendered_after_the_end(caplog):
    class Twice(RequestHandler):
        def get(self):
            self.finish("once")
            with pytest.raises(RuntimeError, match="Cannot render"):
                self.render("page.html")

    assert page("", handler=Twice).body == b"once" and caplog.text == ""


def test_a_handler_that_rendered_is_let_go_without_the_garbage_collector():
    handlers = []

    class Noted(RequestHandler):
        def get(self):
            handlers.append(weakref.ref(self))
            self.render("page.html")

    gc.collect()
    gc.disable()
    try:
        assert page("{% module linkify('a') %}{{ f() }}", handler=Noted, ui_methods={"f": lambda handler: "f"}).body == b"af"
        assert [each() for each in handlers] == [None]
    finally:
        gc.enable()
