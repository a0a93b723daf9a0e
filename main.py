from recipes.cli import entry

entry()
