"""Static files that are cut from packages, never kept in the repository: font, icons, catalogues.

`build` writes them below DATA_DIR; `manage.py build_assets` calls it before `collectstatic`.
"""
