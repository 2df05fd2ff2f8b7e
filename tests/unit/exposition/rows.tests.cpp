// Which rows are shown, what the page's address asks for, and rows as CSV.
#include <algorithm>
#include <catch2/catch.hpp>

#include "exposition/csv.hpp"
#include "exposition/page_request.hpp"
#include "exposition/parameters.hpp"
#include "exposition/row_query.hpp"

namespace wsp {
namespace {

TunnelRow row(const std::string& id, const std::string& vhost, DurationUs age) {
    TunnelRow made;
    made.id = id;
    made.client = "192.0.2.1";
    made.vhost = vhost;
    made.path = "/chat/" + id;
    made.backend = "balancer://chat ws://10.0.0.1:8000";
    made.tag = "alice";
    made.age = age;
    return made;
}

const std::vector<TunnelRow> kThree = {row("b", "www.a.org:443", 2), row("a", "www.b.org:443", 2),
                                       row("c", "www.b.org:80", 9)};

std::string ids(const RowPage& page) {
    std::string all;
    for (const TunnelRow* const shown : page.rows) {
        all += shown->id;
    }
    return all;
}

RowPage select(const std::string& query) {
    return select_rows(kThree, parse_page_request(query).rows);
}

TEST_CASE("rows are sorted by any column, and equal ones by id", "[exposition]") {
    CHECK(ids(select("")) == "cab");
    CHECK(ids(select("sort=age&order=asc")) == "abc");
    CHECK(ids(select("sort=vhost")) == "bac");
    CHECK(ids(select("sort=vhost&order=desc")) == "cab");
    for (std::size_t i = 0; i < kRowColumns; ++i) {
        const auto column = static_cast<RowColumn>(i);
        CHECK(select(std::string("sort=") + std::string(name_of(column))).rows.size() == 3);
    }
}

TEST_CASE("each word of a filter must occur in a row", "[exposition]") {
    CHECK(select("q=B.ORG").matched == 2);
    CHECK(ids(select("q=b.org+vhost:%3a80")) == "c");
    CHECK(ids(select("q=vhost:b.org&sort=id")) == "ac");
    CHECK(select("q=path:b.org").matched == 0);
    CHECK(select("q=balancer://chat+ws://10.0.0.1:8000").matched == 3);
    CHECK(select("q=mode:pumped+state:open+alice").matched == 3);
    CHECK(select("q=nobody").matched == 0);
    CHECK(select("q=nobody").total == 3);
}

TEST_CASE("a page behind the last one is the last one", "[exposition]") {
    CHECK(ids(select("sort=id&size=2&page=1")) == "ab");
    CHECK(ids(select("sort=id&size=2&page=2")) == "c");
    const RowPage last = select("sort=id&size=2&page=99");
    CHECK((ids(last) == "c" && last.page == 2 && last.pages == 2));
    const RowPage none = select("q=nobody&page=3");
    CHECK((none.rows.empty() && none.page == 1 && none.pages == 1));
}

TEST_CASE("pages together hold every row once", "[exposition]") {
    std::vector<TunnelRow> rows;
    for (int i = 0; i < 1000; ++i) {
        rows.push_back(row(std::to_string(i * 7919 % 1000), "v", i % 10));
    }
    std::vector<std::string> seen;
    RowQuery query;
    query.size = 33;
    for (query.page = 1; query.page <= 31; ++query.page) {
        for (const TunnelRow* const shown : select_rows(rows, query).rows) {
            seen.push_back(shown->id);
        }
    }
    std::sort(seen.begin(), seen.end());
    CHECK(seen.size() == 1000);
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a wrong parameter is answered by what is allowed", "[exposition]") {
    CHECK(parse_page_request("format=xml").error ==
          "format=xml is not known here: format takes one of html, json, csv, prometheus.");
    CHECK(parse_page_request("sort=").error.find("takes one of id, client, tls,") !=
          std::string::npos);
    CHECK(parse_page_request("order=up").error.find("asc or desc") != std::string::npos);
    for (const std::string number : {"0", "-1", "1x", "", "99999999999999999999999"}) {
        CHECK_FALSE(parse_page_request("page=" + number).error.empty());
    }
    CHECK(parse_page_request("size=10001").error.find("from 0 to 10000") != std::string::npos);
    CHECK(parse_page_request("other=1&&=&x&v=2").error.empty());
}

TEST_CASE("an address is read, and written again", "[exposition]") {
    for (const std::string query : {"", "q=a%20b%26c", "sort=client&order=desc", "order=asc&page=2",
                                    "format=json&q=x&sort=path&size=10&page=3"}) {
        CHECK(query_for(parse_page_request(query)) == query);
    }
    CHECK(parse_page_request("size=0").wants_rows == false);
    CHECK(decode_query("%41%4a+%zz%4%") == "AJ %zz%4%");
}

TEST_CASE("CSV has every column, and a line for each tunnel", "[exposition]") {
    TunnelRow evil = row("1", "v", 1'500'000);
    evil.path = "/=cmd|'/c calc'!A1,\"x\"";
    evil.tag = "=1+1";
    evil.tls = true;
    const std::string csv = rows_as_csv({evil});
    CHECK(csv ==
          "id,client,tls,vhost,path,backend,tag,age_seconds,idle_seconds,rtt_seconds,messages_in,"
          "messages_out,"
          "bytes_in,bytes_out,held_bytes,state,mode,child\r\n"
          "1,192.0.2.1,true,v,\"/=cmd|'/c calc'!A1,\"\"x\"\"\",balancer://chat "
          "ws://10.0.0.1:8000,\"'=1+1\",1.5,0,0,"
          "0,0,0,0,0,open,pumped,0\r\n");
}

}  // namespace
}  // namespace wsp
