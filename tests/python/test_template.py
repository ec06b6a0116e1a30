"""What Tornado's own template_test leaves open."""

import gc
import weakref

import pytest
from tornado.template import BaseLoader, DictLoader, Loader, ParseError, Template, filter_whitespace


def generate(source, **kwargs):
    return Template(source).generate(**kwargs)


class TestText:
    def test_of_three_braces_in_a_row_the_inner_two_count(self):
        assert generate(r"\cmd{{{ x }}}", x="a") == rb"\cmd{a}"

    def test_a_brace_alone_is_text(self):
        assert generate("a { b } c") == b"a { b } c"

    def test_text_may_have_quotes_backslashes_and_bytes_of_any_kind(self):
        text = "'\"\\n\x00\u20ac\U0001f600"
        assert Template(text, whitespace="all").generate() == text.encode()

    def test_preformatted_text_keeps_its_blanks(self):
        assert Template("<pre>a   b</pre>{{ 1 }}  c", name="x.html").generate() == b"<pre>a   b</pre>1 c"

    @pytest.mark.parametrize(
        "mode, expected", [("all", " a \t\n\n b\tc"), ("single", " a\nb c"), ("oneline", " a b c")]
    )
    def test_there_are_three_ways_with_blanks(self, mode, expected):
        assert filter_whitespace(mode, " a \t\n\n b\tc") == expected

    def test_an_unknown_way_with_blanks_is_refused(self):
        for make in (lambda: filter_whitespace("no", ""), lambda: Template("", whitespace="no")):
            with pytest.raises(Exception, match="invalid whitespace mode no"):
                make()
        with pytest.raises(Exception, match="invalid whitespace mode no"):
            Template("{% whitespace no %}")

    def test_the_old_name_of_a_mode_works_but_not_with_the_new_one(self):
        assert Template("a   b", compress_whitespace=True).generate() == b"a b"
        assert Template("a   b", name="x.html", compress_whitespace=False).generate() == b"a   b"
        with pytest.raises(Exception, match="both"):
            Template("", compress_whitespace=True, whitespace="all")


class TestExpressions:
    @pytest.mark.parametrize(
        "source, expected",
        [("{{ 1, 2 }}", b"(1, 2)"), ("{{ None }}", b"None"), ("{{ [x\n for x in 'ab'] }}", b"[&#x27;a&#x27;, &#x27;b&#x27;]"),
         ("{{ 1 # one\n }}", b"1"), ("{{ b'\\xff' if 0 else '<' }}", b"&lt;")],
    )  # fmt: skip
    def test_an_expression_may_be_whatever_can_be_assigned(self, source, expected):
        assert generate(source).replace(b"&#39;", b"&#x27;") == expected

    def test_names_of_the_loader_hide_the_usual_ones_and_arguments_hide_both(self):
        loader = DictLoader({"t": "{{ squeeze }}"}, namespace={"squeeze": "loader"})
        assert loader.load("t").generate() == b"loader"
        assert loader.load("t").generate(squeeze="argument") == b"argument"

    def test_the_usual_functions_are_there(self):
        source = (
            "{{ escape('<') }} {% raw xhtml_escape('<') %} {{ url_escape('a b') }} {% raw json_encode([1]) %}"
            " {{ squeeze('a  b') }} {% raw linkify('http://a.b') %} {{ datetime.date(2020, 1, 2) }}"
        )
        assert generate(source) == (
            b'&amp;lt; &lt; a+b [1] a b <a href="http://a.b">http://a.b</a> 2020-01-02'
        )


    def test_what_was_passed_is_let_go_without_the_garbage_collector(self):
        class Thing:
            pass

        thing = Thing()
        gone = weakref.ref(thing)
        gc.disable()
        try:
            generate("{% apply f %}{{ thing }}{% end %}", thing=thing, f=lambda text: text)
            del thing
            assert gone() is None
        finally:
            gc.enable()


class TestStatements:
    def test_loops_have_an_else(self):
        source = "{% for i in n %}{{ i }}{% else %}none{% end %}{% while n %}{% set n.pop() %}.{% end %}"
        # "set" takes any statement of one line, as Tornado's does.
        assert generate(source, n=[1, 2]) == b"12none.."

    def test_clauses_may_be_empty(self):
        assert generate("{% try %}{% except %}{% finally %}{% end %}{% for i in '' %}{% end %}") == b""

    def test_imports_and_assignments_are_python_s(self):
        assert generate("{% import math %}{% from os import path as p %}{% set a, b = 1, p.sep %}{{ math.floor(a) }}{{ b }}") == b"1/"

    def test_apply_may_stand_inside_apply(self):
        source = "{% apply upper %}a{% apply twice %}{{ x }}{% end %}{% end %}"
        assert generate(source, upper=bytes.upper, twice=lambda text: text * 2, x="b") == b"ABB"


class TestErrors:
    @pytest.mark.parametrize(
        "source, message",
        [
            ("a\n{% if x %}", "Missing {% end %} for if at <string>:2"),
            ("{% end %}", "Nothing is open for {% end %} to end at <string>:1"),
            ("\n{% if x %}{% except %}{% end %}", "except outside try at <string>:2"),
            ("{% else %}", "else outside if or for or while or try at <string>:1"),
            ("{% frob x %}", "Unknown directive 'frob' at <string>:1"),
            ("{{ }}", "Empty expression at <string>:1"),
            ("{% %}", "Empty block tag ({% %}) at <string>:1"),
            ("{# never ends", "Missing end comment #} at <string>:1"),
            ("{% if x", "Missing end block %} at <string>:1"),
            ("{% include %}", "include needs something behind it at <string>:1"),
            ("{% break %}", "break outside for or while at <string>:1"),
            ("{% extends 'a' %}", "A template without a loader can neither extend nor include at <string>:1"),
        ],
    )
    def test_what_cannot_be_understood_says_what_and_where(self, source, message):
        with pytest.raises(ParseError) as e:
            Template(source)
        assert str(e.value) == message

    def test_python_that_is_wrong_is_shown_with_its_lines(self, caplog):
        with pytest.raises(SyntaxError):
            Template("{{ 1 + }}", name="bad")
        assert "bad code:" in caplog.text and "_tt_tmp = 1 +  # bad:1" in caplog.text


class TestLoaders:
    def test_a_template_is_compiled_once_until_reset(self):
        loader = DictLoader({"a": "1"})
        first = loader.load("a")
        assert loader.load("a") is first
        loader.dict["a"] = "2"
        loader.reset()
        assert loader.load("a").generate() == b"2"

    def test_names_are_relative_to_the_template_that_has_them(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "base.html").write_text("<{% block b %}{% end %}>")
        (tmp_path / "sub" / "page.html").write_text('{% extends "../base.html" %}{% block b %}{% include "part.html" %}{% end %}')
        (tmp_path / "sub" / "part.html").write_text("part")
        loader = Loader(str(tmp_path))
        assert loader.load("sub/page.html").generate() == b"<part>"
        assert sorted(loader.templates) == ["base.html", "sub/page.html", "sub/part.html"]

    def test_a_directory_whose_name_begins_like_the_loader_s_is_another_one(self, tmp_path):
        for directory in ("root", "root-b"):
            (tmp_path / directory).mkdir()
        (tmp_path / "root" / "page").write_text("{% include ../root-b/part %}")
        (tmp_path / "root-b" / "part").write_text("part")
        assert Loader(str(tmp_path / "root")).load("page").generate() == b"part"

    def test_the_nearest_template_that_has_a_block_wins_over_three_generations(self):
        loader = DictLoader(
            {
                "a": "{% block x %}a{% end %}{% block y %}a{% block z %}a{% end %}{% end %}",
                "b": '{% extends "a" %}{% block x %}b{% end %}{% block z %}b{% end %}',
                "c": '{% extends "b" %}{% block x %}c{% end %}lost',
            }
        )
        assert loader.load("c").generate() == b"cab"

    def test_a_loader_of_one_s_own_has_two_methods(self):
        class Mine(BaseLoader):
            def resolve_path(self, name, parent_path=None):
                return name.upper()

            def _create_template(self, name):
                return Template("{% if 0 %}{% include 'x' %}{% end %}" if name == "Y" else name, name=name, loader=self)

        assert Mine().load("y").generate() == b""
        assert Mine().load("x").generate() == b"X"
