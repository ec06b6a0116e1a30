"""Pages from templates: the part of `RequestHandler` that renders, and the modules that such pages are put together from."""

import os.path
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Optional, Union

from tornado import escape, template
from tornado.escape import utf8
from tornado.util import ObjectDict

if TYPE_CHECKING:
    from tornado.concurrent import Future
    from tornado.web import RequestHandler

_HERE = os.path.dirname(os.path.abspath(__file__))
# What lies between a call of render_string and the file whose directory the template is looked for in.
_OWN_FILES = frozenset(os.path.join(_HERE, name) for name in ("_handler.py", "_ui.py", "web.py"))


def is_absolute(path: str) -> bool:
    """Whether a path is one of a URL's, from the root on, or a URL."""
    return path.startswith(("/", "http:", "https:"))


class Rendering:
    """The part of `RequestHandler` that makes pages from templates."""

    __slots__ = ()

    _template_loaders: dict[str, template.BaseLoader] = {}
    _template_loader_lock = threading.Lock()

    # What is needed of the handler.
    application: Any
    current_user: Any
    finish: "Callable[[bytes], Future[None]]"
    locale: Any
    request: Any
    require_setting: Callable[[str, str], None]
    reverse_url: Callable[..., str]
    xsrf_form_html: Callable[[], str]
    _finished: bool

    @property
    def ui(self) -> ObjectDict:
        """The application's UI methods and modules, as templates see them."""
        made: Optional[ObjectDict] = self.__dict__.get("_ui")
        if made is None:
            made = ObjectDict((name, self._ui_method(method)) for name, method in self.application.ui_methods.items())
            # "module" directives look into _tt_modules; handlers and templates may ask modules.
            made["_tt_modules"] = made["modules"] = _ModuleNamespace(self, self.application.ui_modules)
            self.__dict__["_ui"] = made
        return made

    def _ui_method(self, method: Callable[..., str]) -> Callable[..., str]:
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    def _ui_module(self, name: str, module: "type[UIModule]") -> "Callable[..., Union[str, bytes]]":
        def render(*args: Any, **kwargs: Any) -> Union[str, bytes]:
            active: dict[str, UIModule] = self.__dict__.setdefault("_active_modules", {})
            if name not in active:
                active[name] = module(self)  # type: ignore[arg-type]
            return active[name].render(*args, **kwargs)

        return render

    def render(self, template_name: str, **kwargs: Any) -> "Future[None]":
        """Make a page from a template, with what its modules need in the right places, and finish the response with it.

        Returns what `finish` does. ``kwargs`` are variables for the template.

        .. versionchanged:: 5.1
           Returns a future.
        """
        if self._finished:
            raise RuntimeError("Cannot render() after finish()")
        html = self._with_resources(self.render_string(template_name, **kwargs))
        # They refer to the handler, as it does to them. Whoever asks for them again gets new ones.
        self.__dict__.pop("_ui", None)
        self.__dict__.pop("_active_modules", None)
        return self.finish(html)

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Return the output of a template.

        Without the setting ``template_path``, the name is relative to the file of the caller.
        """
        path = self.get_template_path()
        if not path:
            path = os.path.dirname(_calling_file())
        with self._template_loader_lock:
            loader = self._template_loaders.get(path)
            if loader is None:
                loader = self._template_loaders[path] = self.create_template_loader(path)
        namespace = self.get_template_namespace()
        namespace.update(kwargs)
        return loader.load(template_name).generate(**namespace)

    def get_template_path(self) -> Optional[str]:
        """Return the directory of the templates: the setting ``template_path``. Subclasses may have one of their own."""
        path: Optional[str] = self.application.settings.get("template_path")
        return path

    def get_template_namespace(self) -> dict[str, Any]:
        """Return the variables for templates: the handler and what belongs to it, and the UI methods and modules.

        Subclasses may add some, or take some away.
        """
        namespace = dict(
            handler=self,
            request=self.request,
            current_user=self.current_user,
            locale=self.locale,
            _=self.locale.translate,
            pgettext=self.locale.pgettext,
            static_url=self.static_url,
            xsrf_form_html=self.xsrf_form_html,
            reverse_url=self.reverse_url,
        )
        namespace.update(self.ui)
        return namespace

    def create_template_loader(self, template_path: str) -> template.BaseLoader:
        """Return a new loader for a directory; the setting ``template_loader`` if there is one. Subclasses may do otherwise.

        The settings ``autoescape`` and ``template_whitespace`` are for it.
        """
        settings: dict[str, Any] = self.application.settings
        if "template_loader" in settings:
            loader: template.BaseLoader = settings["template_loader"]
            return loader
        kwargs: dict[str, Any] = {}
        if "autoescape" in settings:
            # None means something: no escaping.
            kwargs["autoescape"] = settings["autoescape"]
        if "template_whitespace" in settings:
            kwargs["whitespace"] = settings["template_whitespace"]
        return template.Loader(template_path, **kwargs)

    def static_url(self, path: str, include_host: Optional[bool] = None, **kwargs: Any) -> str:
        """Return the URL of a file below the setting ``static_path``, with a version that changes when the file does.

        ``include_host``: whether the URL begins with the host; the default is the attribute of that name of the handler, or
        false. ``kwargs`` are for `.StaticFileHandler.make_static_url`, such as ``include_version=False``.
        """
        from tornado._static import StaticFileHandler

        self.require_setting("static_path", "static_url")
        settings = self.application.settings
        handler_class: type[StaticFileHandler] = settings.get("static_handler_class", StaticFileHandler)
        if include_host is None:
            include_host = getattr(self, "include_host", False)
        host = f"{self.request.protocol}://{self.request.host}" if include_host else ""
        return host + handler_class.make_static_url(settings, path, **kwargs)

    # -- What the modules of a page add to it --

    def _with_resources(self, html: bytes) -> bytes:
        """Put what the page's modules ask for before the end of its head and of its body."""
        wanted = _Resources(self.__dict__.get("_active_modules", {}).values())
        if wanted.js_files:
            html = _insert(html, html.rindex(b"</body>"), utf8(self.render_linked_js(wanted.js_files)))
        if wanted.js_embed:
            html = _insert(html, html.rindex(b"</body>"), self.render_embed_js(wanted.js_embed))
        if wanted.css_files:
            html = _insert(html, html.index(b"</head>"), utf8(self.render_linked_css(wanted.css_files)))
        if wanted.css_embed:
            html = _insert(html, html.index(b"</head>"), self.render_embed_css(wanted.css_embed))
        if wanted.heads:
            html = _insert(html, html.index(b"</head>"), b"".join(wanted.heads))
        if wanted.bodies:
            html = _insert(html, html.rindex(b"</body>"), b"".join(wanted.bodies))
        return html

    def _resource_urls(self, files: Iterable[str]) -> Iterable[str]:
        """The URLs of resources, each once, in order; names that are relative are static files."""
        return dict.fromkeys(path if is_absolute(path) else self.static_url(path) for path in files)

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        """Return the elements for scripts that modules ask for. Subclasses may load them another way."""
        return "".join(
            f'<script src="{escape.xhtml_escape(url)}" type="text/javascript"></script>'
            for url in self._resource_urls(js_files)
        )

    def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
        """Return the element for scripts of modules that stand in the page. Subclasses may do it another way."""
        script = b"\n".join(js_embed)
        return b'<script type="text/javascript">\n//<![CDATA[\n' + script + b"\n//]]>\n</script>"

    def render_linked_css(self, css_files: Iterable[str]) -> str:
        """Return the elements for style sheets that modules ask for. Subclasses may load them another way."""
        return "".join(
            f'<link href="{escape.xhtml_escape(url)}" type="text/css" rel="stylesheet"/>'
            for url in self._resource_urls(css_files)
        )

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        """Return the element for styles of modules that stand in the page. Subclasses may do it another way."""
        return b'<style type="text/css">\n' + b"\n".join(css_embed) + b"\n</style>"


def _calling_file() -> str:
    """The file that has called into this package's handler."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename in _OWN_FILES and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename


def _insert(html: bytes, at: int, what: bytes) -> bytes:
    return html[:at] + what + b"\n" + html[at:]


class _Resources:
    """What the modules of one page ask for, all together."""

    def __init__(self, modules: "Iterable[UIModule]") -> None:
        self.js_embed: list[bytes] = []
        self.js_files: list[str] = []
        self.css_embed: list[bytes] = []
        self.css_files: list[str] = []
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        for module in modules:
            for part, found in (
                (self.js_embed, module.embedded_javascript()),
                (self.css_embed, module.embedded_css()),
                (self.heads, module.html_head()),
                (self.bodies, module.html_body()),
            ):
                if found:
                    part.append(utf8(found))
            for names, files in ((self.js_files, module.javascript_files()), (self.css_files, module.css_files())):
                names += _listed(files)


def _listed(files: Union[None, str, bytes, Iterable[str]]) -> list[str]:
    if not files:
        return []
    return [escape.to_unicode(files)] if isinstance(files, (str, bytes)) else list(files)


class _ModuleNamespace:
    """The UI modules of an application for one handler, as attributes or keys: what they give is called to render."""

    def __init__(self, handler: Rendering, modules: "dict[str, type[UIModule]]") -> None:
        self.handler = handler
        self.ui_modules = modules

    def __getitem__(self, key: str) -> Callable[..., Union[str, bytes]]:
        return self.handler._ui_module(key, self.ui_modules[key])

    def __getattr__(self, key: str) -> Callable[..., Union[str, bytes]]:
        try:
            return self[key]
        except KeyError as e:
            raise AttributeError(str(e)) from None


class UIModule:
    """A part of pages, used by many of them, that knows which styles and scripts it needs.

    .. code-block:: python

        class Entry(tornado.web.UIModule):
            def render(self, entry):
                return self.render_string("module-entry.html", entry=entry)

            def css_files(self):
                return ["entry.css"]

    In a template: ``{% module Entry(entry) %}``, if the setting ``ui_modules`` has it. There is one object for all uses in
    a page, so each of its resources is there once.
    """

    def __init__(self, handler: "RequestHandler") -> None:
        self.handler = handler
        self.request = handler.request
        self.ui = handler.ui
        self.locale = handler.locale

    @property
    def current_user(self) -> Any:
        return self.handler.current_user

    def render(self, *args: Any, **kwargs: Any) -> Union[str, bytes]:
        """Return the HTML of one use. Every module has this."""
        raise NotImplementedError()

    def embedded_javascript(self) -> Optional[str]:
        """Return a script for the page."""
        return None

    def javascript_files(self) -> Optional[Iterable[str]]:
        """Return the files of scripts: names for `RequestHandler.static_url`, or URLs."""
        return None

    def embedded_css(self) -> Optional[str]:
        """Return styles for the page."""
        return None

    def css_files(self) -> Optional[Iterable[str]]:
        """Return the files of style sheets: names for `RequestHandler.static_url`, or URLs."""
        return None

    def html_head(self) -> Optional[str]:
        """Return HTML for the end of the page's head."""
        return None

    def html_body(self) -> Optional[str]:
        """Return HTML for the end of the page's body."""
        return None

    def render_string(self, path: str, **kwargs: Any) -> bytes:
        """Return the output of a template."""
        return self.handler.render_string(path, **kwargs)


class _linkify(UIModule):
    def render(self, text: str, **kwargs: Any) -> str:
        return escape.linkify(text, **kwargs)


class _xsrf_form_html(UIModule):
    def render(self) -> str:
        return self.handler.xsrf_form_html()


class TemplateModule(UIModule):
    """Makes a module of a template: ``{% module Template("entry.html", entry=entry) %}``.

    The template may say what it needs, once in each file and always the same:

    .. code-block:: html

        {{ set_resources(css_files=["entry.css"], embedded_javascript="entries()") }}

    Unlike with ``include``, the template has its own variables only.
    """

    def __init__(self, handler: "RequestHandler") -> None:
        super().__init__(handler)
        # In the order of their first use.
        self._resources: dict[str, dict[str, Any]] = {}

    def render(self, path: str, **kwargs: Any) -> bytes:
        def set_resources(**resources: Any) -> str:
            if self._resources.setdefault(path, resources) != resources:
                raise ValueError(f"set_resources called with different resources for the same template {path}")
            return ""

        return self.render_string(path, set_resources=set_resources, **kwargs)

    def _collected(self, key: str) -> Iterable[Any]:
        return (resources[key] for resources in self._resources.values() if key in resources)

    def embedded_javascript(self) -> str:
        return "\n".join(self._collected("embedded_javascript"))

    def javascript_files(self) -> Iterable[str]:
        return [name for files in self._collected("javascript_files") for name in _listed(files)]

    def embedded_css(self) -> str:
        return "\n".join(self._collected("embedded_css"))

    def css_files(self) -> Iterable[str]:
        return [name for files in self._collected("css_files") for name in _listed(files)]

    def html_head(self) -> str:
        return "".join(self._collected("html_head"))

    def html_body(self) -> str:
        return "".join(self._collected("html_body"))


#: The modules that every application has.
BUILT_IN_MODULES: dict[str, type[UIModule]] = {
    "linkify": _linkify,
    "xsrf_form_html": _xsrf_form_html,
    "Template": TemplateModule,
}
