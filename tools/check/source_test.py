#!/usr/bin/env python3
"""The source check's own test: each rule finds what it is for, and lets the rest pass."""
import unittest

import source


def includes(path, *headers):
    return source.check_includes(path, "".join(f"#include {header}\n" for header in headers))


def calls(path, code):
    return source.check_calls(path, source.blanked(code))


class Arrows(unittest.TestCase):
    def test_queues_sees_base_and_itself_only(self):
        self.assertEqual(includes("queues/tree.cc", '"base/ids.h"', '"queues/tree.h"'), [])
        self.assertEqual(includes("queues/tree.cc", '"rm/api/apps.h"'),
                         ["queues/tree.cc:1: queues/ must not include rm/api/apps.h"])

    def test_base_net_has_to_be_allowed_by_name(self):
        self.assertEqual(len(includes("queues/tree.cc", '"base/net/http.h"')), 1)
        self.assertEqual(includes("compat/ipc/server.cc", '"base/net/http.h"'), [])

    def test_compat_stops_at_the_doors(self):
        self.assertEqual(includes("compat/yarn/submit.cc", '"rm/api/apps.h"'), [])
        self.assertEqual(len(includes("compat/yarn/submit.cc", '"rm/service/loop.h"')), 1)
        self.assertEqual(len(includes("compat/yarn/submit.cc", '"nodemanager/api/node.h"')), 1)

    def test_the_node_manager_never_sees_the_resource_manager(self):
        for header in ('"rm/api/apps.h"', '"queues/tree.h"', '"compat/ipc/client.h"'):
            self.assertEqual(len(includes("nodemanager/launch/exec.cc", header)), 1, header)
        self.assertEqual(includes("nodemanager/launch/exec.cc", '"nodemanager/api/node.h"'), [])

    def test_main_and_tests_may_cross(self):
        self.assertEqual(includes("nodemanager/main.cc", '"compat/nm/service.h"'), [])
        self.assertEqual(includes("tests/sim/cluster.cc", '"rm/service/loop.h"'), [])

    def test_foreign_headers_stay_in_their_folder(self):
        self.assertEqual(includes("rm/store/store.cc", "<sqlite3.h>"), [])
        self.assertEqual(len(includes("rm/app/app.cc", "<sqlite3.h>")), 1)
        self.assertEqual(len(includes("rm/app/app.cc", "<boost/asio.hpp>")), 1)
        self.assertEqual(len(includes("base/text.cc", "<pugixml.hpp>")), 1)


class Calls(unittest.TestCase):
    def test_banned_outside_base(self):
        for code in ("auto t = std::chrono::steady_clock::now();", "std::getenv(x);",
                     "std::this_thread::sleep_for(1s);", "int r = rand();", "std::system(c);"):
            self.assertEqual(len(calls("rm/a.cc", code)), 1, code)
            self.assertEqual(calls("base/a.cc", code), [], code)

    def test_comments_strings_and_longer_names_are_no_calls(self):
        for code in ("// rand()", 'x = "getenv(";', "operand(1);", "file_system(1);", "x.system();",
                     'R"x(sleep_for " )x"', "/* usleep(1)\n popen( */"):
            self.assertEqual(calls("rm/a.cc", code), [], code)

    def test_lines_are_right_behind_comments(self):
        self.assertTrue(calls("a.cc", "/*\n\n*/\nrand();")[0].startswith("a.cc:4:"))


class Sizes(unittest.TestCase):
    def body(self, lines):
        return "int f(int a,\n      int b) {\n" + "  g();\n" * lines + "}\n"

    def test_functions_are_measured_from_name_to_brace(self):
        code = "namespace a {\nclass B {\n void c() { if (x) { y(); } }\n};\n" + self.body(7) + "}\n"
        self.assertEqual(source.functions(code), [("c", 3, 1), ("f", 5, 10)])

    def test_initializers_are_no_functions(self):
        self.assertEqual(source.functions("int a[] = {\n1,\n2};\nstruct S {\n int b = 1;\n};\n"), [])

    def test_above_the_wish_must_be_listed_and_may_only_shrink(self):
        text = self.body(70)
        found = source.sizes("rm/a.cc", text, text)
        self.assertEqual(found, [source.Size("rm/a.cc", "f", 73)])
        self.assertEqual(len(source.check_sizes(found, {})), 1)
        self.assertEqual(source.check_sizes(found, {("rm/a.cc", "f"): 73}), [])
        self.assertEqual(len(source.check_sizes(found, {("rm/a.cc", "f"): 72})), 1)

    def test_above_the_most_is_never_right(self):
        found = [source.Size("a.cc", "file", 1001), source.Size("a.cc", "f", 101)]
        self.assertEqual(len(source.check_sizes(found, {("a.cc", "file"): 1001, ("a.cc", "f"): 101})), 2)


class Words(unittest.TestCase):
    def test_machine_paths_and_registries_are_found(self):
        self.assertEqual(len(source.check_words("a.md", "see /build/x/y", ("/build/x/",))), 1)
        self.assertEqual(len(source.check_words("a.md", "https://repo." + "maven.org/x", ())), 1)
        self.assertEqual(source.check_words("pom.xml", "http://maven.apache.org/POM/4.0.0", ()), [])

    def test_left_overs_are_found_in_code(self):
        self.assertEqual(len(source.check_words("a.py", "# TO" + "DO later", ())), 1)


class Readmes(unittest.TestCase):
    def test_each_folder_with_code_has_two_lines(self):
        texts = {"a/README.md": "in\nsees\n", "b/README.md": "in\n"}
        found = source.check_readmes(["a/x.cc", "a/README.md", "b/x.cc", "b/README.md", "c/x.py",
                                      "tests/unit/base/x_test.cc"], texts.get)
        self.assertEqual([line.split(":")[0] for line in found], ["b/README.md", "c/README.md"])


class Generated(unittest.TestCase):
    def test_a_generator_that_cannot_look_is_a_complaint(self):
        self.assertEqual(source.check_generated(("true",)), [])
        self.assertEqual(len(source.check_generated(("false",))), 1)
        self.assertEqual(source.check_generated(("sh", "-c", "echo wrong; exit 1")), ["wrong"])


class NamedTests(unittest.TestCase):
    def test_a_test_that_is_not_there_is_found(self):
        code = "TEST_F(Session, ReadingStopsAtTheLimit) {}\nTEST(Names, AreRefusedAtOnce) {}"
        page = ("| `GET /` | ReadingStopsNever | x/y_test.cc ReadingStopsAtTheLimit |\n"
                "| b | c | AreRefused..., AreRefusedAtOnce |\nReadingStopsNever outside\n")
        self.assertEqual(source.check_named_tests(page, code), [])
        for name in ("ReadingStopsAtTheEnd", "ReadingStopsAtTheLimi", "ReadingNever..."):
            self.assertEqual(len(source.check_named_tests(f"| a | b | {name} |", code)), 1, name)


if __name__ == "__main__":
    unittest.main()
