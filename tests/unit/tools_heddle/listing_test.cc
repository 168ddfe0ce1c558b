#include "tools/heddle/listing.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/heddle/console.h"

namespace heddle::cli {
namespace {

Listing two_things() {
  return {
      .schema = "heddle.thing.list/1",
      .columns = {{"id", "ID"},
                  {"state", "STATE"},
                  {"note", "NOTE", true},
                  {"count", "COUNT", false, true}},
      .rows = {{text_cell("a"), text_cell("RUNNING"), text_cell("say \"hi\", you"), number_cell(7)},
               {text_cell("longer"), text_cell("LOST"), text_cell(""), number_cell(1200)}}};
}

TEST(Listing, TableAlignsColumnsAndLeavesWideOnesOut) {
  EXPECT_EQ(render(two_things(), {}),
            "ID      STATE    COUNT\n"
            "a       RUNNING      7\n"
            "longer  LOST      1200\n");
}

TEST(Listing, WideTableShowsEveryColumnAndADashForNothing) {
  EXPECT_EQ(render(two_things(), {.format = Format::kWide}),
            "ID      STATE    NOTE           COUNT\n"
            "a       RUNNING  say \"hi\", you      7\n"
            "longer  LOST     -               1200\n");
}

TEST(Listing, WithoutHeadersTheWidthIsThatOfTheRows) {
  EXPECT_EQ(render(two_things(), {.headers = false}),
            "a       RUNNING     7\n"
            "longer  LOST     1200\n");
}

TEST(Listing, ColoursOnlyWhenAskedAndOnlyStates) {
  EXPECT_EQ(render(two_things(), {.headers = false, .colour = true}),
            "a       \x1b[32mRUNNING\x1b[0m     7\n"
            "longer  \x1b[31mLOST   \x1b[0m  1200\n");
}

TEST(Listing, NameFormatIsOneNameALine) {
  EXPECT_EQ(render(two_things(), {.format = Format::kName}), "a\nlonger\n");
}

TEST(Listing, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(render(two_things(), {.format = Format::kCsv}),
            "id,state,note,count\n"
            "a,RUNNING,\"say \"\"hi\"\", you\",7\n"
            "longer,LOST,,1200\n");
}

TEST(Listing, JsonCarriesTheSchemaAndTypedValues) {
  const auto json = nlohmann::json::parse(render(two_things(), {.format = Format::kJson}));
  EXPECT_EQ(json["schema"], "heddle.thing.list/1");
  EXPECT_EQ(json["items"].size(), 2U);
  EXPECT_EQ(json["items"][1]["count"], 1200);
  EXPECT_EQ(json["items"][0]["note"], "say \"hi\", you");
}

TEST(Listing, JsonOfNothingIsAnEmptyList) {
  Listing listing = two_things();
  listing.rows.clear();
  const auto json = nlohmann::json::parse(render(listing, {.format = Format::kJson}));
  EXPECT_EQ(json["items"], nlohmann::json::array());
}

TEST(Listing, OneThingIsShownAsLinesAndAsAnItem) {
  Listing listing = two_things();
  listing.rows.pop_back();
  listing.single = true;
  EXPECT_EQ(render(listing, {}),
            "ID:     a\nSTATE:  RUNNING\nNOTE:   say \"hi\", you\nCOUNT:  7\n");
  const auto json = nlohmann::json::parse(render(listing, {.format = Format::kJson}));
  EXPECT_EQ(json["item"]["id"], "a");
}

TEST(Listing, BrokenUtf8DoesNotBreakJson) {
  Listing listing = two_things();
  listing.rows[0][0] = text_cell("x\xff");
  EXPECT_FALSE(nlohmann::json::parse(render(listing, {.format = Format::kJson}), nullptr, false)
                   .is_discarded());
}

TEST(Cells, ReadAsAPersonWouldSayThem) {
  EXPECT_EQ(megabytes_cell(512).text, "512 MB");
  EXPECT_EQ(megabytes_cell(2048).text, "2 GB");
  EXPECT_EQ(megabytes_cell(1536).text, "1.5 GB");
  EXPECT_EQ(millis_cell(65'000).text, "1m5s");
  EXPECT_EQ(millis_cell(-5).text, "0s");
  EXPECT_EQ(millis_cell(3L * 86'400'000).text, "3d0h");
  EXPECT_EQ(time_cell(0).text, "-");
  EXPECT_EQ(time_cell(1'700'000'000'000).text, "2023-11-14T22:13:20Z");
  EXPECT_EQ(std::get<double>(percent_cell(60.000004).value), 60.0);
}

TEST(Printable, KeepsTextOfAllLanguagesAndNoEscape) {
  EXPECT_EQ(printable("h\xc3\xa9llo \xe4\xb8\x96"), "h\xc3\xa9llo \xe4\xb8\x96");
  EXPECT_EQ(printable("\x1b[31mred"), "?[31mred");
  EXPECT_EQ(printable("two\nlines"), "two lines");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");  // C1 control
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "abc"),
            "?abc");  // turns the reading direction
  EXPECT_EQ(printable("bad \xff"), "bad ?");
}

TEST(Printable, CountsWideLettersTwice) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\xe4\xb8\x96\xe7\x95\x8c"), 4U);
}

}  // namespace
}  // namespace heddle::cli
